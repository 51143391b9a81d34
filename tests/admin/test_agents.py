"""User agents in short."""

from __future__ import annotations

import pytest

from django_socketio.admin_pages.agents import short_agent

BLINK = "AppleWebKit/537.36 (KHTML, like Gecko)"
WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5"


@pytest.mark.parametrize(
    ("system", "programs", "short"),
    [
        ("X11; Linux x86_64; rv:128.0", "Gecko/20100101 Firefox/128.0", "Firefox 128, Linux"),
        ("Windows NT 10.0; Win64", f"{BLINK} Chrome/126.0 Safari/537.36", "Chrome 126, Windows"),
        ("Windows NT 10.0", f"{BLINK} Chrome/126.0 Safari/5 Edg/126.0.1", "Edge 126, Windows"),
        ("Linux; Android 14", f"{BLINK} Chrome/125.0 Mobile Safari/5", "Chrome 125, Android"),
        ("X11; Linux x86_64", f"{BLINK} HeadlessChrome/124.0 Safari/5", "Chrome 124, Linux"),
        ("Macintosh; Intel Mac OS X 14_5", f"{WEBKIT} Safari/605.1.15", "Safari 17, macOS"),
        ("iPhone; like Mac OS X", f"{WEBKIT} Mobile/15E148 Safari/604.1", "Safari 17, iOS"),
    ],
)
def test_a_browser_in_short(system: str, programs: str, short: str) -> None:
    assert short_agent(f"Mozilla/5.0 ({system}) {programs}") == short


@pytest.mark.parametrize(
    ("text", "short"),
    [("python-socketio/5.11", "python-socketio 5.11"), ("x" * 300, "x" * 40), ("  ", ""), ("", "")],
)
def test_another_program_in_short(text: str, short: str) -> None:
    assert short_agent(text) == short
