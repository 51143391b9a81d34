"""The site that `make docs` builds: no warning, no dead link inside, every public name."""

from __future__ import annotations

import inspect
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.dispatch import Signal

import django_socketio
from django_socketio import checks, exceptions, signals, testing
from django_socketio.asgi import SocketIOApplication
from django_socketio.server.operators import Operator, RemoteSocket
from django_socketio.server.socket_operator import SocketOperator
from django_socketio.templatetags import socketio as tags

ROOT = Path(__file__).resolve().parents[2]


def test_the_site(tmp_path: Path) -> None:
    """One test, for to build it takes seconds."""
    site = build(tmp_path)
    assert undocumented_names(site) == set()
    assert undocumented_signals(site) == []
    assert dead_links(site) == []


def build(folder: Path) -> Path:
    output = folder / "site"
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-d", str(folder)]
    built = subprocess.run(
        [*command, "-b", "html", str(ROOT / "docs"), str(output)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert built.returncode == 0, built.stderr
    return output


def public_names() -> Iterator[str]:
    """The public names of the package, as the reference calls them."""
    for name in {*django_socketio.__all__} - {*exceptions.__all__}:
        yield f"django_socketio.{name}"
    for name in exceptions.__all__:
        yield f"django_socketio.exceptions.{name}"
    for owner in (
        django_socketio.SocketIOConsumer,
        Operator,
        SocketOperator,
        RemoteSocket,
        SocketIOApplication,
        testing.SocketIOCommunicator,
    ):
        where = owner.__module__
        if owner is django_socketio.SocketIOConsumer:
            where = "django_socketio"
        yield f"{where}.{owner.__name__}"
        for name, value in vars(owner).items():
            if not name.startswith("_") and (callable(value) or isinstance(value, property)):
                yield f"{where}.{owner.__name__}.{name}"
    for name, value in vars(checks).items():
        if name.startswith("check_") and inspect.isfunction(value):
            yield f"django_socketio.checks.{name}"
    for name in tags.register.tags:
        yield f"django_socketio.templatetags.socketio.{name}"


def undocumented_names(site: Path) -> set[str]:
    pages = (site / "reference").glob("*.html")
    documented = {name for page in pages for name in Links(page.read_text()).anchors}
    wanted = set(public_names())
    assert len(wanted) > 100
    return wanted - documented


def undocumented_signals(site: Path) -> list[str]:
    page = (site / "reference" / "signals.html").read_text()
    names = [name for name, value in vars(signals).items() if isinstance(value, Signal)]
    assert "socket_connected" in names
    return [name for name in names if f">{name}<" not in page]


def test_every_command_stands_in_the_reference() -> None:
    page = (ROOT / "docs" / "reference" / "commands.md").read_text()
    folder = ROOT / "django_socketio" / "management" / "commands"
    commands = [module.name for module in pkgutil.iter_modules([str(folder)])]
    assert "socketio_emit" in commands
    assert [name for name in commands if f"`{name}" not in page] == []


def test_every_check_is_explained() -> None:
    source = (ROOT / "django_socketio" / "checks.py").read_text()
    raised = set(re.findall(r'"(django_socketio\.[EWI]\d+)"', source))
    page = (ROOT / "docs" / "settings.md").read_text()
    assert len(raised) >= 10
    assert set(re.findall(r"^\| `(django_socketio\.\w+)`", page, re.MULTILINE)) == raised


class Links(HTMLParser):
    """Collects the links and the anchors of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if value and name == "id":
                self.anchors.add(value)
            elif value and (tag, name) in {("a", "href"), ("img", "src")}:
                self.links.add(value)


def dead_links(site: Path) -> list[tuple[str, str]]:
    pages = {path: Links(path.read_text()) for path in site.rglob("*.html")}
    assert len(pages) > 15
    dead = []
    for page, content in pages.items():
        for link in content.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or page.name in {"genindex.html", "search.html"}:
                continue
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            anchors = pages[target].anchors if target in pages else set()
            if not target.is_file() or (parts.fragment and unquote(parts.fragment) not in anchors):
                dead.append((page.name, link))
    return dead
