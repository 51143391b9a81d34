"""The Python code of the documentation's pages: how it is found, and how a page is run.

The blocks of a page run one after the other in one namespace, as files of an app `chat` in a
project `mysite`. A block that cannot run has a comment before it that says why:
`<!-- not run: needs a Celery broker -->`. It is compiled.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
import sys
import textwrap
import unittest
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, NamedTuple

from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db import connection, models
from django.urls import path

import django_socketio
from django_socketio.asgi import SocketIOApplication
from tests.harness.inprocess import nothing_else

ROOT = Path(__file__).resolve().parents[2]
_BLOCK = re.compile(
    r"(?:^[ ]*<!--\ not\ run:\ (?P<why>.+?)\ -->\n+)?"
    r"^(?P<indent>[ ]*)```python\n(?P<text>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL | re.VERBOSE,
)
_FILE = re.compile(r"# ([\w/]+)\.py\b")


class Block(NamedTuple):
    """A block of code, the line on which it begins, and why it is not run ("" if it is)."""

    line: int
    text: str
    why_not: str


def find_pages() -> list[str]:
    """Every page with Python code. The tutorial has a test of its own, which runs all of it."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    built = ROOT / "docs" / "_build"
    return [
        str(page.relative_to(ROOT))
        for page in pages
        if built not in page.parents and page.name != "tutorial.md" and blocks_of(page)
    ]


def blocks_of(page: Path | str) -> list[Block]:
    text = (ROOT / page).read_text()
    return [
        Block(
            text.count("\n", 0, found.start("text")) + 1,
            textwrap.dedent(found["text"]),
            found["why"] or "",
        )
        for found in _BLOCK.finditer(text)
    ]


class Message(models.Model):
    """What most pages store."""

    author = models.ForeignKey(User, models.CASCADE, null=True)
    room = models.CharField(max_length=50, default="lobby")
    text = models.TextField()

    class Meta:
        app_label = "pages"

    def __str__(self) -> str:
        return self.text


class Order(models.Model):
    status = models.CharField(max_length=20, default="new")

    class Meta:
        app_label = "pages"

    def __str__(self) -> str:
        return self.status


@contextmanager
def project() -> Iterator[dict[str, Any]]:
    """The project of the pages, with its tables; gives the names that pages take for granted."""
    application = SocketIOApplication(nothing_else)
    alice, bob = map(User.objects.create_user, ("alice", "bob"))
    modules: dict[str, dict[str, Any]] = {
        "mysite": {},
        "mysite.asgi": {"application": application},
        "chat": {"__path__": []},
        "chat.models": {"Message": Message, "Order": Order},
        "votes": {"__path__": []},
    }
    before = set(sys.modules)
    for name, names in modules.items():
        _add_module(name, names)
    with connection.schema_editor() as editor:
        for model in (Message, Order):
            editor.create_model(model)
    try:
        yield {
            "__package__": "chat",
            **{name: getattr(django_socketio, name) for name in django_socketio.__all__},
            "application": application,
            "path": path,
            "Message": Message,
            "Order": Order,
            "alice": alice,
            "bob": bob,
            "user": alice,
            "sid": "an-sid",
            "order": Order._default_manager.create(),
            "request": SimpleNamespace(user=alice),
        }
    finally:
        with connection.schema_editor() as editor:
            for model in (Order, Message):
                editor.delete_model(model)
        for name in set(sys.modules) - before:
            if name.partition(".")[0] in ("mysite", "chat", "votes"):
                del sys.modules[name]


def _add_module(name: str, names: dict[str, Any]) -> None:
    module = sys.modules[name] = ModuleType(name)
    vars(module).update(names)
    package, _, last = name.rpartition(".")
    if package in sys.modules:
        setattr(sys.modules[package], last, module)


def compile_block(page: str, block: Block) -> Any:
    """Compile a block, with `await` outside of functions. One not run may be items of a dict."""
    name, blank = str(ROOT / page), "\n" * (block.line - 1)
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    try:
        return compile(blank + block.text, name, "exec", flags)
    except SyntaxError:
        if not block.why_not:
            raise
        return compile(blank + "{" + block.text + "}", name, "exec", flags)


async def run_page(page: str, names: dict[str, Any]) -> dict[str, Any]:
    """Run the blocks of a page, and the tests that they define; returns the page's names."""
    for block in blocks_of(page):
        code = compile_block(page, block)
        if block.why_not:
            continue
        known = dict(names)
        file = _FILE.match(block.text)
        module = file[1].replace("/", ".") if file else "chat.page"
        names["__name__"] = module
        if code.co_flags & inspect.CO_COROUTINE:
            await eval(code, names)
        else:
            await sync_to_async(exec)(code, names)
        if file:
            _add_module(module, names)
        new = [value for name, value in names.items() if known.get(name) is not value]
        for value in new:
            await _run_test(value, names)
    return names


async def _run_test(value: Any, names: dict[str, Any]) -> None:
    """Run a test function of a page, with the page's names as fixtures, or a test case."""
    if getattr(value, "__module__", None) != names["__name__"]:
        return
    if inspect.iscoroutinefunction(value) and value.__name__.startswith("test_"):
        await value(**{name: names[name] for name in inspect.signature(value).parameters})
    if inspect.isclass(value) and issubclass(value, unittest.TestCase):
        result = unittest.TestResult()
        suite = unittest.defaultTestLoader.loadTestsFromTestCase(value)
        # In a thread of its own, as the main thread of a test run: its async tests have their loop.
        await asyncio.get_running_loop().run_in_executor(None, suite.run, result)
        assert result.testsRun > 0
        assert result.wasSuccessful(), [*result.errors, *result.failures]
