"""Whatever a client sends is escaped and shortened where it is logged."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest

from django_socketio import ConnectionRefused, SocketIOConsumer, event
from django_socketio.exceptions import EventRefused
from django_socketio.logs import safe

from .inprocess import Wire, exchange, handshake, joined, of_session, opened, registered

# Line breaks of all kinds, terminal escapes, right-to-left marks, bells, half a surrogate pair.
EVIL = "a\r\nERROR root forged\x1b[2J\x00\x07\x85\u2028\u2029\u202e\x9b\ud800z"
LONG = "x" * 200_000
JSON_EVIL = (
    "a\\r\\nERROR root forged\\u001b[2J\\u0000\\u0007\\u0085\\u2028\\u2029\\u202e\\u009b\\ud800z"
)


class Careless(SocketIOConsumer):
    """Every way in which something of a client's can get into the log."""

    @event
    async def fixed(self, one: int) -> None: ...

    @event
    async def quote(self, text: str) -> None:
        raise LookupError(f"on purpose: {text}")

    @event
    async def refuse(self, text: str) -> None:
        raise EventRefused(text)

    @event("*")
    async def fail(self, name: str) -> None:
        raise LookupError("on purpose")


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Any:
    caplog.set_level(logging.DEBUG)
    yield caplog
    records = caplog.get_records("call")
    assert records, "nothing was logged, so nothing was tested"
    for record in records:
        message = record.getMessage()
        assert message.isprintable(), ascii(message)
        assert message.isascii() or "…" in message, ascii(message)
        assert len(message) < 1000
        for value in record.args or ():
            assert len(str(value)) < 500
        shown = logging.Formatter().format(record).split("\n")
        assert all(line.isprintable() for line in shown), shown
        assert all(line.startswith("  ") for line in shown[1:]), shown
        assert sum(map(len, shown)) < 20_000


def logged(lines: Any, words: str) -> bool:
    return any(words in record.getMessage() for record in lines.records)


async def test_log_injection_by_event_names(lines: Any, settings: Any) -> None:
    settings.SOCKETIO = {"MAX_EVENT_NAME_LENGTH": 10**6}
    with registered(Careless):
        wire = await joined()
        await wire.send(
            f'42["{JSON_EVIL}"]', f'42["{LONG}"]', '42["fixed"]', f'42["{JSON_EVIL}",1]'
        )
        await wire.leave()
    assert logged(lines, "forged")
    assert logged(lines, "xxx…")


async def test_log_injection_by_namespaces(lines: Any) -> None:
    evil = EVIL.replace("\x00", "").replace("\ud800", "")
    with registered(Careless, re.compile("/.*", re.DOTALL)):
        wire = await opened()
        for name in ("/" + evil, "/" + "x" * 250):
            await wire.enter(name)
            await wire.send(f'42{name},["fixed"]', f'42{name},["unknown"]')
        await wire.leave()
    assert logged(lines, "forged")


async def test_log_injection_by_what_exceptions_say(lines: Any) -> None:
    """A traceback shows it: a line of it cannot look like a line of the log."""
    with registered(Careless):
        wire = await joined()
        await wire.send(f'42["quote","{JSON_EVIL}"]', '42["quote","' + "x\\n" * 100_000 + '"]')
        await wire.send(f'42["refuse","{JSON_EVIL}"]')
        await wire.leave()
    texts = [record.exc_text for record in lines.records if record.exc_text]
    assert len(texts) == 2
    assert "\n  ERROR root forged\\x1b[2J" in texts[0]


class Doorman(SocketIOConsumer):
    async def connect(self, auth: Any) -> None:
        raise ConnectionRefused(auth["reason"])


async def test_log_injection_by_who_is_refused(lines: Any) -> None:
    with registered(Doorman):
        wire = await opened()
        await wire.send(f'40{{"reason":"{JSON_EVIL}"}}')
        await wire.receive()
        await wire.send(f'40{{"reason":"{LONG[:10_000]}"}}')
        await wire.receive()
        await wire.send("40/" + EVIL.replace("\x00", "").replace("\ud800", ""))
        await wire.receive()
        await wire.leave()
    assert logged(lines, "127.0.0.1 may not enter namespace /: a\\r\\nERROR root forged")
    assert logged(lines, ": xxx")
    assert logged(lines, "Invalid namespace")


async def test_log_injection_by_packets(lines: Any) -> None:
    with registered(Careless):
        for frame in (
            f"42{EVIL}".replace("\ud800", ""),
            f"4{LONG}",
            f"40/{EVIL},".replace("\ud800", ""),
            f"42/{LONG}",
            f'40{{"{JSON_EVIL}":1}}',
            f"9{JSON_EVIL}",
            f"b{LONG}!",
        ):
            wire = await joined()
            await wire.send(frame)
            await wire.leave()
        sid = await handshake()
        body = EVIL.replace("\ud800", "").encode()
        await exchange(of_session(sid), "POST", pieces=[body])


@pytest.mark.parametrize(
    "origin",
    [EVIL.encode("utf-8", "replace"), b"http://evil\n.example", LONG.encode(), b"\xff\x85"],
)
async def test_log_injection_by_origins(lines: Any, origin: bytes) -> None:
    answer = await exchange(headers=[(b"origin", origin)])
    assert answer.status == 403
    refused = await Wire(headers=[(b"origin", origin)]).refused()
    assert refused["type"] == "websocket.close"
    assert logged(lines, "refused")


def test_log_injection_is_escaped_readably() -> None:
    assert safe("plain text, as it is") == "plain text, as it is"
    assert safe("a\nb") == "a\\nb"
    assert safe("\x1b[2J") == "\\x1b[2J"
    assert safe("é") == "\\xe9"
    assert safe("x" * 101) == "x" * 100 + "…"
    assert len(safe("\U0001f600" * 10**6)) <= 1001
    assert safe({"a": "\n"}).isprintable()
