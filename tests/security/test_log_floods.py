"""Nobody fills the log: what one client causes a thousand times is a few lines and a count."""

from __future__ import annotations

import json
import logging
import re
from typing import Any

import pytest

from django_socketio import SocketIOConsumer, event
from django_socketio.engineio import Reason
from django_socketio.exceptions import ConnectionRefused
from django_socketio.server.hubs import current_hub
from django_socketio.stats import counters

from .inprocess import Wire, client_of, exchange, handshake, joined, of_session, opened, registered

TIMES = 300


class Failing(SocketIOConsumer):
    async def connect(self, auth: Any) -> None:
        if auth:
            raise ConnectionRefused("no") if auth.get("refused") else LookupError("on purpose")

    async def disconnect(self, reason: str) -> None:
        if self.data.get("badly"):
            raise LookupError("on purpose")

    @event
    async def fail(self, *args: Any) -> None:
        raise LookupError("on purpose", *args)

    @event
    async def fail_as_well(self, *args: Any) -> None:
        raise LookupError("on purpose", *args)

    @event
    async def one(self, argument: Any) -> None: ...

    @event
    async def leave_badly(self) -> None:
        self.data["badly"] = True


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Any:
    caplog.set_level(logging.INFO, "django_socketio")
    return caplog


def said(log: Any, words: str) -> list[str]:
    """Closes the log as the end of the process does; the lines with these words."""
    current_hub().runtime.log.close()
    return [message for record in log.records if words in (message := record.getMessage())]


def left_out(lines: list[str]) -> int:
    """How many lines are said to be missing."""
    counts = [re.match(r"(\d+) more lines were left out within", line) for line in lines]
    return sum(int(count[1]) for count in counts if count)


def complete(lines: list[str], times: int, most: int) -> bool:
    """Whether few lines tell of all."""
    shown = [line for line in lines if "more lines were left out" not in line]
    return len(lines) <= most and len(shown) + left_out(lines) == times


async def test_log_floods_of_exceptions(log: Any) -> None:
    """Ten tracebacks a second of a handler; another handler's are not hidden by them."""
    with registered(Failing):
        wire = await joined()
        await wire.send(*['42["fail","' + "x" * 50 + '"]'] * TIMES, '42["fail_as_well"]')
        await wire.leave()
    handlers = said(log, "the handler of event")
    others = [line for line in handlers if "fail_as_well" in line]
    assert others == ["the handler of event fail_as_well in namespace / failed"]
    mine = [line for line in handlers if line not in others]
    # A slow machine may take some seconds for them.
    assert complete(mine, TIMES, 60), mine
    assert mine[-1].endswith("(tests.security.test_log_floods.Failing.fail)")
    assert sum(len(logging.Formatter().format(record)) for record in log.records) < 100_000


async def test_log_floods_of_failing_hooks(log: Any, settings: Any) -> None:
    settings.SOCKETIO = {"MAX_REFUSALS": TIMES, "MAX_REFUSALS_PER_ADDRESS": TIMES}
    with registered(Failing):
        wire = await opened()
        for _ in range(TIMES):
            await wire.send('40{"a":1}')
            assert (await wire.receive())[:2] == "44"
            await wire.send("40")
            await wire.receive()
            await wire.send('42["leave_badly"]', "41")
        await wire.leave()
    lines = said(log, "disconnect() of")
    assert complete(lines, TIMES, 60), lines
    lines = [line for line in said(log, "connect() of") if line not in lines]
    assert complete(lines, TIMES, 60), lines


async def test_log_floods_of_arguments_that_do_not_fit(log: Any) -> None:
    with registered(Failing):
        wire = await joined()
        await wire.send(*['42["one"]'] * TIMES)
        await wire.leave()
    lines = said(log, "do not fit")
    assert complete(lines, TIMES, 6), lines


@pytest.mark.parametrize(
    ("packet", "words"),
    [
        ("4x", "broke the protocol: unknown packet type"),
        ('42["connect"]', "broke the protocol: reserved event name"),
        ("x", "session closed (parse error): unknown packet type"),
    ],
)
async def test_log_floods_of_violations(log: Any, packet: str, words: str) -> None:
    with registered(Failing):
        for _ in range(TIMES):
            wire = await joined()
            await wire.send(packet)
            await wire.leave()
    lines = said(log, "session closed")
    assert words in lines[0]
    assert "127.0.0.1" in lines[0]
    assert complete(lines, TIMES, 6), lines


async def test_log_floods_of_answers_that_are_lost(log: Any) -> None:
    """In a minute of trouble, hundreds of sessions lose theirs."""
    for _ in range(TIMES):
        client = client_of(await handshake())
        assert client is not None
        client.abort(Reason.TRANSPORT_ERROR, "the answer to a poll was lost")
    lines = said(log, "session closed")
    assert lines[0] == (
        "session closed (transport error): the answer to a poll was lost (127.0.0.1)"
    )
    assert complete(lines, TIMES, 6), lines


async def test_log_floods_of_refused_origins(log: Any) -> None:
    for number in range(TIMES):
        answer = await exchange(headers=[(b"origin", b"http://evil%d.example" % number)])
        assert answer.status == 403
    lines = said(log, "CORS_ALLOWED_ORIGINS")
    assert complete(lines, TIMES, 6), lines
    assert complete(refused := said(log, "a request of"), TIMES, 60), refused


REFUSALS = {
    "transport=nonsense": "Transport unknown",
    "EIO=4&transport=polling&sid=unknown": "Session ID unknown",
    "EIO=3&transport=polling": "Unsupported protocol version",
    "EIO=4&transport=polling&sid=%ff": "Bad request",
}


@pytest.mark.parametrize(("query", "why"), REFUSALS.items())
async def test_log_floods_of_refused_requests(log: Any, query: str, why: str) -> None:
    """Who was refused and why: at INFO, at most ten a second."""
    for _ in range(TIMES):
        assert (await exchange(query)).status == 400
    lines = said(log, "a request of")
    assert lines[0] == f"a request of 127.0.0.1 was refused: {why}"
    assert complete(lines, TIMES, 60), lines
    # A burst of old clients is one line more, a warning with the cure.
    warnings = [record for record in log.records if record.levelno != logging.INFO]
    assert (len(warnings) > 0) == ("version" in why)


async def test_log_floods_of_refused_websockets(log: Any) -> None:
    for _ in range(TIMES):
        await Wire("EIO=4&transport=nonsense").refused()
    lines = said(log, "a request of")
    assert lines[0] == "a request of 127.0.0.1 was refused: Transport unknown"
    assert complete(lines, TIMES, 60), lines


async def test_log_floods_of_handshakes(log: Any, settings: Any) -> None:
    settings.SOCKETIO = {"MAX_HANDSHAKES_PER_ADDRESS": 1}
    first = await handshake()
    for _ in range(TIMES):
        assert (await exchange()).status == 429
    lines = said(log, "a request of")
    assert "too many handshakes" in lines[0]
    assert complete(lines, TIMES, 60), lines
    assert (await exchange(of_session(first), "POST", pieces=[b"1"])).status == 200


async def test_log_floods_of_refused_connects(log: Any, settings: Any) -> None:
    settings.SOCKETIO = {"MAX_REFUSALS": 2 * TIMES, "MAX_REFUSALS_PER_ADDRESS": 2 * TIMES}
    with registered(Failing):
        wire = await opened()
        for _ in range(TIMES):
            await wire.send('40{"refused":true}')
            assert json.loads((await wire.receive())[2:]) == {"message": "no"}
            await wire.send("40/unknown,")
            await wire.receive()
        await wire.leave()
    lines = said(log, "may not enter")
    assert lines[:2] == [
        "127.0.0.1 may not enter namespace /: no",
        "127.0.0.1 may not enter namespace /unknown: Invalid namespace",
    ]
    assert complete(lines, 2 * TIMES, 60), lines


async def test_log_floods_are_counted_all_the_same() -> None:
    before = counters.handler_errors["event"]
    with registered(Failing):
        wire = await joined()
        await wire.send(*['42["fail"]'] * TIMES)
        await wire.leave()
    assert counters.handler_errors["event"] == before + TIMES
