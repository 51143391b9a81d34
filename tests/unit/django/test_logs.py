"""What clients send, in a log line."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_socketio.logs import Bursts, logger, safe


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("chat message", "chat message"),
        ("", ""),
        ("it's", "it's"),
        ("a\nb", "a\\nb"),
        ("a\r\n\tb\x00", "a\\r\\n\\tb\\x00"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("é😀", "\\xe9\\U0001f600"),
        ("\u202eabc\u2028", "\\u202eabc\\u2028"),
        ("\ud800", "\\ud800"),
        (5, "5"),
        (None, "None"),
        (b"a\n", "b'a\\n'"),
    ],
)
def test_what_is_not_printable_is_escaped(value: Any, shown: str) -> None:
    assert safe(value) == shown


def test_what_is_long_is_cut() -> None:
    assert safe("x" * 100) == "x" * 100
    assert safe("x" * 101) == "x" * 100 + "…"
    assert safe("abcdef", 3) == "abc…"
    assert len(safe("\x00" * 1_000_000)) <= 401
    assert len(safe("😀" * 1_000_000)) <= 401


@given(st.text(st.characters()), st.integers(1, 50))
def test_nothing_but_printable_ascii_and_never_much(text: str, limit: int) -> None:
    shown = safe(text, limit)
    body = shown.removesuffix("…")
    assert body.isascii()
    assert body.isprintable()
    assert len(shown) <= 4 * limit + 1


def test_the_logger_is_the_package_s() -> None:
    assert logger.name == "django_socketio"


def test_a_burst_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    bursts = Bursts()
    for now in (0.0, 5.0, 14.0, 24.5, 30.0):
        bursts.error("a", "trouble", now)
    bursts.error("b", "other trouble", 30.0)
    assert [record.getMessage() for record in caplog.records] == [
        "trouble",
        "trouble",  # after more than ten quiet seconds
        "other trouble",
    ]
    bursts.forget("a")
    bursts.forget("unknown")
    bursts.error("a", "trouble", 31.0)
    assert len(caplog.records) == 4


def test_bursts_that_are_over_are_forgotten() -> None:
    bursts = Bursts()
    for number in range(1000):
        bursts.error(str(number), "trouble", float(number))
    assert len(bursts._last) < 20
