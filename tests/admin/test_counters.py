"""What is counted while clients come, talk and go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from django_socketio import SocketIOConsumer, event, register
from django_socketio.server.hubs import current_hub
from django_socketio.server.registry import registry
from django_socketio.stats import counters
from django_socketio.stats.reports import count_all, make_report
from django_socketio.testing import SocketIOCommunicator
from tests.project.asgi import application


@pytest.fixture
def counted() -> Iterator[type[SocketIOConsumer]]:
    @register("/counted-here")
    class Counted(SocketIOConsumer):
        async def connect(self, auth: Any) -> None:
            self.join("a room")

        @event
        async def echo(self, value: Any) -> Any:
            self.emit("echo", value)
            return value

        @event
        async def fails(self) -> None:
            raise ValueError("on purpose")

    yield Counted
    registry.unregister("/counted-here")


@pytest.mark.django_db(transaction=True)
async def test_traffic(counted: type[SocketIOConsumer]) -> None:
    hub = current_hub()
    before = count_all(hub)
    communicator = SocketIOCommunicator(application, "/counted-here")
    assert await communicator.connect()
    assert await communicator.call("echo", "x") == "x"
    assert await communicator.receive_event() == ("echo", ["x"])
    await communicator.emit("fails")
    during = count_all(hub)
    assert during["sockets"]["now"]["/counted-here"] == 1
    assert during["sockets"]["peak"]["/counted-here"] == 1
    assert during["sessions"]["now"]["websocket"] == (
        before["sessions"]["now"].get("websocket", 0) + 1
    )
    await communicator.disconnect()
    after = count_all(hub)
    assert "/counted-here" not in after["sockets"]["now"]
    assert after["sockets"]["peak"]["/counted-here"] == 1

    def grown(name: str) -> int:
        now: Mapping[str, Any] = after["traffic"]
        then: Mapping[str, Any] = before["traffic"]
        difference: int = now[name] - then[name]
        return difference

    # CONNECT and two events came in; CONNECT's answer, an event and an acknowledgement went out.
    assert grown("packets_in") == 3
    assert grown("events_in") == 2
    assert grown("packets_out") == 3
    assert grown("events_out") == 1
    assert grown("acks_out") == 1
    assert grown("bytes_in") > 40
    assert grown("bytes_out") > 100
    assert after["connects"]["/counted-here"] == before["connects"].get("/counted-here", 0) + 1
    assert after["disconnects"]["transport close"] == (
        before["disconnects"].get("transport close", 0) + 1
    )


@pytest.mark.django_db(transaction=True)
async def test_handler_times(counted: type[SocketIOConsumer]) -> None:
    communicator = SocketIOCommunicator(application, "/counted-here")
    assert await communicator.connect()
    for _ in range(3):
        await communicator.call("echo", "x")
    await communicator.emit("fails")
    await communicator.emit("a client's own name")
    await communicator.disconnect()
    rows = {
        row["event"]: row
        for row in count_all(current_hub())["handlers"]
        if row["namespaces"] == ["/counted-here"]
    }
    assert rows.keys() == {"echo", "fails", "*"}
    assert rows["echo"]["count"] == 3
    assert sum(rows["echo"]["buckets"]) == 3
    assert 0 < rows["echo"]["longest"] <= rows["echo"]["total"]
    assert rows["fails"]["errors"] == 1
    assert rows["*"]["count"] == 1


def test_the_histogram() -> None:
    timing = counters.Timing()
    for seconds in (0.001001, 0.0011, 0.05, 9, 11):
        timing.add_slow(seconds)
    timing.fast = 7
    assert timing.as_dict()["buckets"] == [7, 2, 1, 0, 1, 1]
    assert timing.count == 12


def test_keys_of_a_gauge_are_bounded() -> None:
    gauge = counters.Gauge()
    keys = [gauge.enter(f"/doc-{number}") for number in range(counters.MAX_KEYS + 50)]
    assert len(gauge.peak) <= counters.MAX_KEYS + 1
    assert keys.count(counters.OTHER) == 50
    for key in keys:
        gauge.leave(key)
    assert gauge.total == 0
    assert not gauge.now
    assert gauge.highest == counters.MAX_KEYS + 50


@pytest.mark.django_db(transaction=True)
async def test_sockets_and_rooms_are_described(counted: type[SocketIOConsumer]) -> None:
    hub = current_hub()
    communicators = [
        SocketIOCommunicator(application, "/counted-here", headers=[(b"user-agent", agent)])
        for agent in (b"first", b"second")
    ]
    for communicator in communicators:
        assert await communicator.connect()
    found = make_report(hub, "sockets", {"namespace": "/counted-here", "limit": 1})
    assert found["total"] == 2
    assert [row["sid"] for row in found["rows"]] == [communicators[1].sid]
    assert found["rows"][0]["rooms"] == ["a room"]
    for params in ({"q": "FIRST"}, {"q": str(communicators[0].sid)[:24].lower()}):
        found = make_report(hub, "sockets", params)
        assert [row["sid"] for row in found["rows"]] == [communicators[0].sid]
    assert make_report(hub, "sockets", {"room": "a room"})["total"] == 2
    for params in ({"transport": "polling"}, {"user": "alice"}, {"room": "none"}):
        assert make_report(hub, "sockets", params)["total"] == 0
    rooms = make_report(hub, "rooms", {})
    assert rooms["rows"] == [{"namespace": "/counted-here", "room": "a room", "members": 2}]
    for communicator in communicators:
        await communicator.disconnect()


def test_a_reason_may_be_long() -> None:
    """A project's reason for refusing an event may hold what the client has sent."""
    tally = counters.Tally()
    for number in range(3 * counters.MAX_KEYS):
        tally.add(str(number) * 100_000)
    assert len(tally) == counters.MAX_KEYS + 1
    assert max(map(len, tally)) == counters.MAX_KEY_LENGTH
    assert tally.total() == 3 * counters.MAX_KEYS
