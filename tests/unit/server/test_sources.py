"""Whether a module, or what it imports, mentions a name; nothing of it is imported."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from django_socketio import checks, process
from django_socketio.server.sources import mentions

NAME = "SocketIOApplication"
PLAIN = "from django.core.asgi import get_asgi_application\napplication = get_asgi_application()\n"
OURS = f"from django_socketio.asgi import {NAME}\n"

Write = Callable[[dict[str, str]], None]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes the files of a project that can be imported."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(files: dict[str, str]) -> None:
        for name, text in files.items():
            path = tmp_path / "site_of_test" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    return write


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"asgi.py": PLAIN}, False),
        ({"asgi.py": OURS}, True),
        ({"asgi.py": "from site_of_test.routing import application", "routing.py": OURS}, True),
        ({"asgi.py": "from .routing import application", "routing.py": OURS}, True),
        ({"asgi.py": "from . import routing", "routing.py": OURS}, True),
        ({"asgi.py": "import site_of_test.a.b", "a/__init__.py": "", "a/b.py": OURS}, True),
        ({"asgi.py": "from .a import b", "a/__init__.py": "from ..c import d", "c.py": OURS}, True),
        ({"asgi.py": "from .routing import application", "routing.py": PLAIN}, False),
        ({"asgi.py": "import routing", "routing.py": OURS}, False),
        ({"asgi.py": "from .asgi import application"}, False),
        ({"asgi.py": "this is no Python"}, False),
        ({"other.py": PLAIN}, True),  # no source to read: nothing can be said
    ],
)
@pytest.mark.parametrize("is_package", [False, True])
def test_modules_are_read(
    write: Write, files: dict[str, str], expected: bool, is_package: bool
) -> None:
    write({**files, **({"__init__.py": "raise AssertionError('imported')"} if is_package else {})})
    assert mentions("site_of_test.asgi", NAME) is expected
    assert not [name for name in sys.modules if name.startswith("site_of_test")]


def test_a_module_of_no_package(write: Write, tmp_path: Path) -> None:
    (tmp_path / "lone_asgi_of_test.py").write_text(PLAIN)
    assert mentions("lone_asgi_of_test", NAME) is False
    assert mentions("nowhere_of_test.asgi", NAME) is True


def test_the_check_reads_it(write: Write, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "serving", False)
    write({"asgi.py": PLAIN})
    settings.ASGI_APPLICATION = "site_of_test.asgi.application"
    (warning,) = checks.check_application(None)
    assert warning.id == "django_socketio.W008"
    assert "'site_of_test.asgi.application'" in warning.msg
    assert "SocketIOApplication(get_asgi_application())" in str(warning.hint)
    write({"asgi.py": OURS})
    assert checks.check_application(None) == []
    settings.ASGI_APPLICATION = None
    assert checks.check_application(None) == []
    assert process.serving is False
