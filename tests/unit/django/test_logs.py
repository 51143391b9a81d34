"""What clients send, in a log line; how many lines there are of it."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_socketio.logs import (
    FIRST_LINES,
    LAST_LINES,
    MAX_LINE,
    ONE,
    SOME,
    Bursts,
    logger,
    printable,
    safe,
)
from django_socketio.runtime.log import BurstLog
from tests.harness.waiting import eventually


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


def test_what_a_database_takes() -> None:
    assert printable("a room, é 😀") == "a room, é 😀"
    assert printable("a\0b\ud800") == "a\\x00b\\ud800"


# Bursts


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


def warn(bursts: Bursts, now: float, text: str, *args: object, kind: str = "") -> None:
    bursts.log(now, logging.WARNING, ONE, text, *args, kind=kind)


def test_a_burst_is_one_line_and_a_count(caplog: pytest.LogCaptureFixture) -> None:
    bursts = Bursts()
    for number in range(1000):
        warn(bursts, number / 1000, "refused %s", f"client {number}")
    assert lines(caplog) == ["refused client 0"]
    assert bursts.end_periods(9.9) == 10.0
    assert len(caplog.records) == 1
    assert bursts.end_periods(10.0) is None
    assert lines(caplog)[1:] == ["999 more lines were left out within 10 s: refused ..."]
    assert caplog.records[1].levelno == logging.WARNING
    assert not bursts.omitting


def test_one_line_is_no_burst(caplog: pytest.LogCaptureFixture) -> None:
    bursts = Bursts()
    for now in (0.0, 10.0, 30.0):
        warn(bursts, now, "trouble")
    bursts.end_periods(100.0)
    assert lines(caplog) == ["trouble"] * 3


def test_the_next_burst_tells_of_the_one_before(caplog: pytest.LogCaptureFixture) -> None:
    """Where nobody calls end_periods()."""
    bursts = Bursts()
    for now in (0.0, 1.0, 2.0, 20.0):
        bursts.error("a", "trouble", now)
    told = "2 more lines were left out within 10 s: trouble (a)"
    assert lines(caplog) == ["trouble", told, "trouble"]
    bursts.forget("a")
    bursts.forget("unknown")
    bursts.error("a", "trouble", 21.0)
    assert len(caplog.records) == 4


def test_each_kind_has_its_own_burst(caplog: pytest.LogCaptureFixture) -> None:
    bursts = Bursts()
    for kind in ("a", "b", "a", ""):
        warn(bursts, 0.0, "trouble", kind=kind)
    warn(bursts, 0.0, "other trouble", kind="a")
    assert lines(caplog) == ["trouble", "trouble", "trouble", "other trouble"]


def test_tracebacks_are_ten_a_second(caplog: pytest.LogCaptureFixture) -> None:
    bursts = Bursts()
    for number in range(25):
        bursts.log(0.0, logging.ERROR, SOME, "failed", error=ValueError(number))
    bursts.failure(ValueError(25), "failed", 1.0)
    assert lines(caplog) == [
        *["failed"] * 10,
        "15 more lines were left out within 1 s: failed",
        "failed",
    ]
    assert caplog.text.count("Traceback") == 0  # never raised, so it has none
    assert [record.exc_text for record in caplog.records][:2] == [
        "  ValueError: 0",
        "  ValueError: 1",
    ]


def test_kinds_are_bounded(caplog: pytest.LogCaptureFixture) -> None:
    bursts = Bursts()
    for number in range(10 * Bursts.MAX_KINDS):
        warn(bursts, 0.0, "trouble", kind=str(number))
    assert len(caplog.records) == Bursts.MAX_KINDS + 1
    assert len(bursts._kinds) == Bursts.MAX_KINDS + 1
    warn(bursts, 11.0, "trouble", kind="0")
    assert len(bursts._kinds) == 1
    rest = 9 * Bursts.MAX_KINDS - 1
    told = f"{rest} more lines were left out within 10 s: lines of many kinds"
    assert lines(caplog)[-2:] == [told, "trouble"]


async def test_the_log_of_a_loop_tells_the_count_by_itself(
    caplog: pytest.LogCaptureFixture,
) -> None:
    log = BurstLog(asyncio.get_running_loop())
    for _ in range(12):
        log.failure(ValueError(), "failed")
    await eventually(lambda: len(caplog.records) > 10, "the count")
    assert lines(caplog)[10:] == ["2 more lines were left out within 1 s: failed"]
    assert log._timer is None
    for _ in range(3):
        log.warning("trouble\n%s", "a\nb")
    log.close()  # the process ends
    assert lines(caplog)[11:] == [
        "trouble\na\\nb",
        "2 more lines were left out within 10 s: trouble\\n...",
    ]
    assert log._timer is None


# Tracebacks


def raising(text: str) -> BaseException:
    try:
        raise LookupError(text)
    except LookupError as error:
        return error


def test_a_traceback_s_lines_are_escaped_and_indented(caplog: pytest.LogCaptureFixture) -> None:
    error = raising("a\nERROR root forged\x1b[2J\u2028\ud800 " + "x" * 100_000)
    logger.error("failed", exc_info=error)
    text = logging.Formatter().format(caplog.records[0])
    first, *others = text.split("\n")
    assert first == "failed"
    assert others[0] == "  Traceback (most recent call last):"
    assert all(line.startswith("  ") for line in others)
    assert all(line.isprintable() for line in others)
    assert "  ERROR root forged\\x1b[2J\\u2028\\ud800 xxx" in text
    assert max(map(len, others)) <= 4 * MAX_LINE
    assert caplog.records[0].exc_info is not None
    assert caplog.records[0].exc_info[1] is error


def test_a_long_traceback_is_cut_in_the_middle(caplog: pytest.LogCaptureFixture) -> None:
    logger.error("failed", exc_info=raising("\n".join(map(str, range(10_000)))))
    shown = (caplog.records[0].exc_text or "").split("\n")
    assert len(shown) == FIRST_LINES + LAST_LINES + 1
    assert shown[0] == "  Traceback (most recent call last):"
    assert shown[-1] == "  9999"
