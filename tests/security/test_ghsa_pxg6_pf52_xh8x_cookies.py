"""Cookies are written by ``http.cookies`` alone, and a system check looks at name and path."""

from __future__ import annotations

import ast
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured

import django_socketio
from django_socketio.conf import get_settings

from .inprocess import exchange

PACKAGE = Path(django_socketio.__file__).parent

BAD: list[dict[str, Any]] = [
    {"NAME": name}
    for name in (
        "",
        "a b",
        "a;b",
        "a=b",
        "a,b",
        "a\r\nX: y",
        "a\nb",
        "é",
        "a\x00",
        '"',
        "userName=<b>",
        5,
    )
] + [
    {"PATH": "/; Domain=evil.example"},
    {"PATH": "/\r\nX-Injected: yes"},
    {"PATH": "/\x00"},
    {"PATH": "/a,b"},
    {"DOMAIN": "evil.example; Secure"},
    {"DOMAIN": "a\nb"},
    {"SAMESITE": "None; Secure"},
    {"MAX_AGE": "5; Domain=evil.example"},
    {"PRIORITY": "High; Domain=evil.example"},
    {"EXPIRES": "Thu, 01 Jan 2026 00:00:00 GMT; Domain=evil.example"},
    {"EXPIRES": "a\r\nX-Injected: yes"},
    {"PARTITIONED": "yes; Domain=evil.example"},
    {"NAM": "io"},
]


@pytest.mark.parametrize("cookie", BAD, ids=str)
def test_ghsa_pxg6_pf52_xh8x_cookies_are_checked(settings: Any, cookie: dict[str, Any]) -> None:
    settings.SOCKETIO = {"COOKIE": cookie}
    errors = [problem for problem in run_checks() if problem.id == "django_socketio.E001"]
    assert [problem.obj for problem in errors] == ["COOKIE"]
    with pytest.raises(ImproperlyConfigured, match="COOKIE"):
        get_settings()


@pytest.mark.parametrize(
    ("cookie", "attributes"),
    [
        (True, {"path": "/", "httponly": True, "samesite": "Lax"}),
        ({"NAME": "session.io", "PATH": "/app/"}, {"path": "/app/", "samesite": "Lax"}),
        ({"SECURE": True, "SAMESITE": "None", "MAX_AGE": 60}, {"secure": True, "max-age": "60"}),
        ({"HTTPONLY": False, "DOMAIN": "example.com"}, {"httponly": "", "domain": "example.com"}),
    ],
)
async def test_ghsa_pxg6_pf52_xh8x_cookies_say_what_was_asked_for(
    settings: Any, cookie: Any, attributes: dict[str, Any]
) -> None:
    settings.SOCKETIO = {"COOKIE": cookie}
    answer = await exchange()
    header = answer.headers.get("set-cookie")
    assert header is not None
    parsed = SimpleCookie(header)
    ((name, morsel),) = parsed.items()
    assert name == ("io" if cookie is True else cookie.get("NAME", "io"))
    assert morsel.value in answer.body.decode()
    assert {key: morsel[key] for key in attributes} == attributes


async def test_ghsa_pxg6_pf52_xh8x_cookies_are_not_set_unasked() -> None:
    assert "set-cookie" not in (await exchange()).headers


def test_ghsa_pxg6_pf52_xh8x_cookies_come_from_one_place() -> None:
    """One module sets the header, with what one function of ``http.cookies`` has made."""
    setting, baking = [], []
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and str(node.value).lower().find("set-cookie") >= 0:
                if isinstance(node.value, bytes):
                    setting.append(path.name)
            elif isinstance(node, ast.Name) and node.id in ("SimpleCookie", "Morsel"):
                baking.append(path.name)
    assert setting == ["polling.py"]
    assert set(baking) == {"cookies.py"}
