"""docs/troubleshooting.md: every message that the package logs is there, as it is logged."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import django_socketio
from django_socketio.packets import unencodable

PACKAGE = Path(django_socketio.__file__).parent
PAGE = (PACKAGE.parent / "docs" / "troubleshooting.md").read_text()
CALLS = {"info", "warning", "error", "failure", "exception", "_warn"}
# Django's messages on the pages of the admin, which are no log.
NO_LOG = PACKAGE / "admin.py"
# "full" and the like: names of kinds, not texts.
SHORTEST = 12


def texts(node: ast.expr, names: dict[str, ast.expr]) -> Iterator[str]:
    """The texts that stand in an argument, where it is put together from several."""
    if isinstance(node, ast.Name) and node.id in names:
        yield from texts(names[node.id], names)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.BinOp):
        yield from texts(node.left, names)
        yield from texts(node.right, names)
    elif isinstance(node, ast.JoinedStr):
        for part in node.values:
            yield from texts(part, names)


def logged(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text())
    names = {
        target.id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in CALLS:
            for argument in node.args:
                yield from texts(argument, names)


def test_every_message_is_there() -> None:
    found = {text for path in PACKAGE.rglob("*.py") if path != NO_LOG for text in logged(path)}
    shown = {re.sub(r"%[-.\d]*[a-z]", "…", text).strip(" .;,\n") for text in found}
    shown = {text for text in shown if len(text) >= SHORTEST}
    assert len(shown) > 40
    assert sorted(text for text in shown if text not in PAGE) == []


def test_every_cure_of_what_json_cannot_hold_is_there() -> None:
    tree = ast.parse(Path(str(unencodable.__file__)).read_text())
    returned = [node.value for node in ast.walk(tree) if isinstance(node, ast.Return)]
    cures = [
        node.value
        for node in returned
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    assert len(cures) > 4
    assert [cure for cure in cures if cure.replace("objects.", "queryset.") not in PAGE] == []
