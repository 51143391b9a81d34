"""User agents in short."""

from __future__ import annotations

import pytest

from django_socketio.admin_pages.agents import short_agent

APPLE = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox 128, Linux"),
        (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {APPLE} Chrome/126.0.0.0 Safari/537.36", "Chrome 126, Windows"),
        (f"Mozilla/5.0 (Windows NT 10.0) {APPLE} Chrome/126.0.0.0 Safari/537.36 Edg/126.0.1", "Edge 126, Windows"),
        (f"Mozilla/5.0 (Linux; Android 14; Pixel 8) {APPLE} Chrome/125.0 Mobile Safari/537.36", "Chrome 125, Android"),
        (f"Mozilla/5.0 (X11; Linux x86_64) {APPLE} HeadlessChrome/124.0 Safari/537.36", "Chrome 124, Linux"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15", "Safari 17, macOS"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1", "Safari 17, iOS"),
        ("python-socketio/5.11", "python-socketio 5.11"),
        ("x" * 300, "x" * 40),
        ("   ", ""),
        ("", ""),
    ],
)  # fmt: skip
def test_an_agent_in_short(text: str, short: str) -> None:
    assert short_agent(text) == short
