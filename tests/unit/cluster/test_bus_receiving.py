"""The bus, inwards: what is heard, what is not, and what is dropped and counted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, given, settings

from django_socketio.cluster.messages import EVERYONE, TYPE, VERSION
from tests.harness.waiting import eventually, soon
from tests.unit.cluster.conftest import MakeStation
from tests.unit.cluster.layers import Exchange, Station, note, signed
from tests.unit.cluster.test_operations import JUNK

Counted = Callable[[str], int]


def message(number: int, **changes: Any) -> dict[str, Any]:
    found = {"n": "other", "g": "", "f": 1, "s": number, "p": number, "q": number - 1}
    found = {**found, "b": "", "o": [note(number)], **changes}
    return signed({key: value for key, value in found.items() if value is not ...})


def outer(**changes: Any) -> dict[str, Any]:
    """A message whose wrapping is not as it should be."""
    found = {**message(2), **changes}
    return {key: value for key, value in found.items() if value is not ...}


async def test_own_messages_are_not_handled(station: MakeStation) -> None:
    """What a process does it has done already; its echo shows that the layer works."""
    one, other = station("one"), station("other")
    await one.listen(EVERYONE)
    await other.listen(EVERYONE)
    assert one.bus.echoed_at == 0
    one.bus.to_group(EVERYONE, note(1))
    await eventually(lambda: one.bus.echoed_at)
    await eventually(lambda: other.received)
    assert other.received == [("one", note(1))]
    assert one.received == []


async def test_an_echo_in_a_room_does_not_prove_that_everyone_is_heard(
    station: MakeStation, counted: Counted
) -> None:
    """A layer that was flushed knows only the groups that were joined since."""
    one = station("one")
    channel = await one.listen("room")
    one.bus.to_group("room", note(1))
    one.bus.to_channel(channel, note(2))
    await eventually(lambda: counted("received") == 2)
    assert one.bus.echoed_at == 0


async def test_each_sender_is_named(station: MakeStation) -> None:
    one, two, three = station("one"), station("two"), station("three")
    for each in (one, two, three):
        await each.listen("g")
    await soon(one.bus.to_group("g", note(1)))
    await soon(two.bus.to_group("g", note(2)))
    await eventually(lambda: len(three.received) == 2)
    assert three.received == [("one", note(1)), ("two", note(2))]


@pytest.mark.parametrize(
    "junk",
    [
        {"type": TYPE, "v": 1, "n": "other", "g": "", "f": 1, "s": 2, "o": [note(2)]},
        outer(v=VERSION + 1),
        outer(v=...),
        outer(v=str(VERSION)),
        outer(v=None),
        [],
        "text",
        5,
        None,
    ],
    ids=repr,
)
async def test_unknown_versions(
    station: MakeStation, counted: Counted, caplog: pytest.LogCaptureFixture, junk: Any
) -> None:
    """Such processes do not see each other; the log says so, once."""
    one = station("one")
    channel = await one.listen()
    for put in (message(1), junk, junk, message(2)):
        one.layer.exchange.put(channel, put)
    await eventually(lambda: one.numbers == [1, 2])
    assert counted("unknown version") == 2
    assert counted("received") == 2
    assert one.lost == []
    (told,) = [record.getMessage() for record in caplog.records]
    assert "another version" in told


@pytest.mark.parametrize("key", ["n", "g", "f", "s", "p", "q", "b", "o"])
@pytest.mark.parametrize("value", [..., None, 1.5, {"a": 1}], ids=["missing", "null", "1.5", "{}"])
async def test_malformed_messages(
    station: MakeStation, counted: Counted, key: str, value: Any
) -> None:
    one = station("one")
    channel = await one.listen()
    for put in (message(1), message(2, **{key: value}), message(2)):
        one.layer.exchange.put(channel, put)
    await eventually(lambda: one.numbers == [1, 2])
    assert counted("malformed") == 1


async def test_malformed_operations(station: MakeStation, counted: Counted) -> None:
    """The others in the message are none the worse for them."""
    one = station("one")
    channel = await one.listen()
    operations = [note(1), [99], "junk", [8, "x", 0, 0], None, note(2), []]
    one.layer.exchange.put(channel, message(1, o=operations))
    await eventually(lambda: one.numbers == [1, 2])
    assert counted("malformed") == 5


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(JUNK, JUNK, JUNK, JUNK, JUNK)
def test_no_junk_raises(n: Any, g: Any, f: Any, s: Any, o: Any) -> None:
    async def take() -> None:
        one = Station(Exchange(), "one")
        one.bus._take(o)
        one.bus._take({"v": VERSION, "b": n, "m": g})
        one.bus._take({"v": n, "b": f, "m": s})
        inbox, numbers = one.bus._inbox, {"f": 1, "s": 1, "p": 1, "q": 0, "b": ""}
        inbox.open(o, ())
        inbox.open({"n": n, "g": g, "f": f, "s": s, "p": f, "q": s, "b": g, "o": o}, ())
        inbox.open({"n": "other", "g": "", **numbers, "o": [o, [8, s, f, g]]}, ())

    asyncio.run(take())


async def test_losses_are_told_and_logged_once_per_burst(
    station: MakeStation, counted: Counted, caplog: pytest.LogCaptureFixture
) -> None:
    one = station("one")
    channel = await one.listen("g")
    for number, group in ((1, ""), (4, ""), (1, "g"), (2, "g"), (9, "g"), (5, "")):
        one.layer.exchange.put(channel, message(number, g=group))
    await eventually(lambda: len(one.received) == 6)
    assert one.lost == [("other", ""), ("other", "g")]
    assert counted("lost") == 2 + 6
    told = [record.getMessage() for record in caplog.records]
    assert told == ["messages of another process were lost by the channel layer"]


async def test_duplicates_are_not_handled(station: MakeStation, counted: Counted) -> None:
    one = station("one")
    channel = await one.listen()
    for number in (1, 2, 2, 1, 3):
        one.layer.exchange.put(channel, message(number))
    await eventually(lambda: one.numbers == [1, 2, 3])
    assert counted("duplicate") == 2


async def test_a_failing_handler_does_not_end_the_loop(
    station: MakeStation, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    one = station("one")
    receive = one.bus._receive

    def fail(sender: str, operation: list[Any]) -> None:
        if operation[1] == 1:
            raise RuntimeError("on purpose")
        receive(sender, operation)

    monkeypatch.setattr(one.bus, "_receive", fail)
    channel = await one.listen()
    one.layer.exchange.put(channel, message(1))
    one.layer.exchange.put(channel, message(2))
    await eventually(lambda: one.numbers == [2])
    assert "on purpose" in caplog.text


async def test_a_layer_that_fails_to_receive(
    station: MakeStation, monkeypatch: pytest.MonkeyPatch, counted: Counted
) -> None:
    one = station("one")
    receive, failures = one.layer.receive, iter([OSError("down")] * 3)

    async def fail(channel: str) -> Any:
        for error in failures:
            raise error
        return await receive(channel)

    monkeypatch.setattr(one.layer, "receive", fail)
    channel = await one.listen()
    await eventually(lambda: counted("failed") == 3)
    one.layer.exchange.put(channel, message(1))
    await eventually(lambda: one.numbers == [1])
    assert one.bus.up


@pytest.mark.parametrize("error", [TimeoutError(), redis.exceptions.TimeoutError("reading")])
async def test_a_layer_that_is_idle_is_not_down(
    station: MakeStation,
    monkeypatch: pytest.MonkeyPatch,
    counted: Counted,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
) -> None:
    """A read that finds nothing for long may end with an error."""
    one = station("one")
    receive, errors = one.layer.receive, iter([error] * 3)

    async def find_nothing(channel: str) -> Any:
        for error in errors:
            raise error
        return await receive(channel)

    monkeypatch.setattr(one.layer, "receive", find_nothing)
    channel = await one.listen()
    one.layer.exchange.put(channel, message(1))
    await eventually(lambda: one.numbers == [1])
    assert counted("failed") == 0
    assert caplog.records == []


async def test_a_layer_that_is_down_at_the_start(station: MakeStation) -> None:
    one, other = station("one"), station("other")
    one.layer.error = OSError()
    one.bus.start()
    one.bus.listen()
    joined = one.bus.join("g")
    one.bus.to_group("h", note(1))
    await other.listen("h")
    await eventually(lambda: one.layer.failed >= 5)
    assert one.bus.channel is None
    one.layer.error = None
    await soon(joined)
    await eventually(lambda: other.numbers == [1])
    other.bus.to_group("g", note(2))
    await eventually(lambda: one.numbers == [2])
