"""Plain handlers whose events have waited share one visit of a worker thread: nobody can tell."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from typing import Any

import django.db
import pytest
from asgiref.sync import async_to_sync

from django_socketio import event, io, register
from django_socketio.runtime import threads
from django_socketio.runtime.pool import Pool
from django_socketio.server.hubs import current_hub
from django_socketio.signals import event_received
from django_socketio.sockets import visits
from django_socketio.sockets.client import Client
from django_socketio.stats import counters
from tests.harness.inprocess import Frames
from tests.harness.waiting import DEADLINE, eventually
from tests.server.clients import state_of
from tests.server.conftest import OpenFrames
from tests.server.consumers import Base


@pytest.fixture(autouse=True)
def visited(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """An item for each call that was handed to a worker thread; no visit ends for its length."""
    made: list[str] = []
    submit = Pool.submit

    def counting(self: Pool, *args: Any) -> Any:
        made.append(self._name)
        return submit(self, *args)

    monkeypatch.setattr(Pool, "submit", counting)
    monkeypatch.setattr(visits, "LONGEST", DEADLINE)
    return made


class Gated(Base):
    """Events wait behind `hold` until the gate is open."""

    gate: threading.Event
    seen: list[Any]

    @event
    def hold(self) -> None:
        assert self.gate.wait(DEADLINE)

    @event
    def note(self, *args: Any) -> Any:
        self.seen.append(args[0] if len(args) == 1 else args)
        return args


@pytest.fixture
def seen() -> Iterator[list[Any]]:
    Gated.gate, Gated.seen = threading.Event(), []
    yield Gated.seen
    Gated.gate.set()


async def joined(frames: OpenFrames) -> tuple[Frames, Client]:
    frame = await frames()
    await frame.enter("/")
    client = current_hub().clients.get(frame.id)
    assert client is not None
    return frame, client


async def waiting(frame: Frames, client: Client, *packets: str) -> None:
    """Send events that wait behind `hold`, and let them go on together."""
    await frame.send('42["hold"]', *packets)
    await eventually(
        lambda: client.backlog is not None and client.backlog.events == len(packets), "the events"
    )
    Gated.gate.set()


async def done(frame: Frames, *first: str) -> None:
    """Wait until all events have been handled; `first` is what came before the answer."""
    await frame.send('429["barrier"]')
    assert [await frame.receive() for _ in range(len(first) + 1)] == [*first, "439[true]"]


async def test_events_that_wait_share_a_visit(
    frames: OpenFrames, seen: list[Any], visited: list[str]
) -> None:
    register()(Gated)
    frame, client = await joined(frames)
    await waiting(frame, client, *(f'42["note",{number}]' for number in range(500)))
    await done(frame)
    assert seen == list(range(500))
    assert len(visited) == 2  # hold, and all the others
    assert client.backlog is not None
    assert (client.backlog.events, client.backlog.size) == (0, 0)


async def test_a_visit_ends_after_its_time(
    frames: OpenFrames, seen: list[Any], visited: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visits, "LONGEST", 0.01)

    @register()
    class Consumer(Gated):
        @event
        def take_long(self) -> None:
            time.sleep(0.011)

    frame, client = await joined(frames)
    await waiting(frame, client, *['42["take_long"]'] * 10)
    await done(frame)
    assert len(visited) == 11


async def test_a_visit_ends_behind_a_large_answer(
    frames: OpenFrames, seen: list[Any], visited: list[str]
) -> None:
    """The client may not read, and then no further event is handled."""

    @register()
    class Consumer(Gated):
        @event
        def give(self, size: int) -> str:
            return "x" * size

        @event
        def say(self, size: int) -> None:
            self.emit("said", "x" * size)

    frame, client = await joined(frames)
    events = ('"give",9', '"say",9', '"give",5000', '"say",9', '"say",5000', '"say",9', '"give",9')
    await waiting(frame, client, *(f"421[{event}]" for event in events))
    for _ in range(4 + 7):  # what is said, and acknowledgements
        await frame.receive()
    assert len(visited) == 1 + 3


async def test_what_is_sent_keeps_its_order(frames: OpenFrames, seen: list[Any]) -> None:
    """What handlers emit and return, early or at their end, in threads and on the loop."""

    @register()
    class Consumer(Gated):
        @event
        def say(self, number: int) -> int:
            self.emit("own", number)
            return number

        @event
        def tell(self, number: int) -> int:
            io.to(self.sid).emit("room", number)
            async_to_sync(self.aemit)(number)
            return number

        @event
        def answer(self, number: int) -> None:
            self.acknowledge(number)
            self.emit("after", number)

        @event
        async def on_the_loop(self, number: int) -> int:
            self.emit("own", number)
            return number

        async def aemit(self, number: int) -> None:
            self.emit("waited", number)

    frame, client = await joined(frames)
    names = ("say", "note", "tell", "note", "say", "answer", "note", "on_the_loop", "say")
    packets, expected = [], []
    for number in range(90):
        name = names[number % 9]
        packets.append(f'42{number}["{name}",{number}]')
        ack = f"43{number}[{number}]"
        own, after = f'42["own",{number}]', f'42["after",{number}]'
        room, waited = f'42["room",{number}]', f'42["waited",{number}]'
        expected += {
            "say": [own, ack],
            "note": [ack],
            "tell": [room, waited, ack],
            "answer": [ack, after],
            "on_the_loop": [own, ack],
        }[name]
    await waiting(frame, client, *packets)
    await done(frame, *expected)


async def test_an_answer_waits_for_no_later_event(frames: OpenFrames, seen: list[Any]) -> None:
    second = threading.Event()

    @register()
    class Consumer(Gated):
        @event
        def block(self) -> None:
            self.seen.append("blocks")
            assert second.wait(DEADLINE)

    frame, client = await joined(frames)
    await waiting(frame, client, '421["note",1]', '42["note",2]', '42["block"]', '422["note",3]')
    try:
        assert await frame.receive() == "431[1]"
        await eventually(lambda: seen == [1, 2, "blocks"], "the third event")
    finally:
        second.set()
    assert await frame.receive() == "432[3]"


async def test_what_was_taken_waits_no_more(
    frames: OpenFrames, seen: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Events that a visit has handled do not count as waiting while a later handler takes long."""
    monkeypatch.setattr(visits, "LONGEST", 0.3)
    second = threading.Event()

    @register()
    class Consumer(Gated):
        @event
        def block(self) -> None:
            self.seen.append("blocks")
            assert second.wait(DEADLINE)

    frame, client = await joined(frames)
    await waiting(frame, client, '42["note",1]', '42["note",2]', '42["block"]', '42["note",3]')
    try:
        await eventually(lambda: client.backlog and client.backlog.events == 1, "the count")
        assert seen == [1, 2, "blocks"]
    finally:
        second.set()
    await done(frame)


@pytest.mark.parametrize("how", ["close", "disconnect_sockets", "async"])
async def test_nothing_is_handled_behind_a_close(
    frames: OpenFrames, seen: list[Any], how: str
) -> None:
    left = asyncio.Event()

    @register()
    class Consumer(Gated):
        @event
        def go(self) -> None:
            self.seen.append("go")
            if how == "close":
                self.close()
            elif how == "disconnect_sockets":
                io.to(self.sid).disconnect_sockets()
            else:
                async_to_sync(self.aclose)()

        async def aclose(self) -> None:
            await self.close()

        async def disconnect(self, reason: str) -> None:
            left.set()

    frame, client = await joined(frames)
    await waiting(frame, client, '42["note",1]', '42["go"]', '42["note",2]', '42["note",3]')
    assert await frame.receive() == "41"
    await asyncio.wait_for(left.wait(), DEADLINE)
    assert seen == [1, "go"]
    assert client.backlog is not None
    assert client.backlog.events == 0


async def test_a_logout_drops_what_waits(frames: OpenFrames, seen: list[Any]) -> None:
    """The handler that runs goes on; no other begins."""
    second, left = threading.Event(), asyncio.Event()

    @register()
    class Consumer(Gated):
        @event
        def block(self) -> None:
            self.seen.append("blocks")
            assert second.wait(DEADLINE)

        async def disconnect(self, reason: str) -> None:
            left.set()

    frame, client = await joined(frames)
    await waiting(frame, client, '42["note",1]', '42["block"]', '42["note",2]', '42["note",3]')
    await eventually(lambda: seen == [1, "blocks"], "the handler to run")
    client.disconnect()
    assert not left.is_set()
    second.set()
    await asyncio.wait_for(left.wait(), DEADLINE)
    assert seen == [1, "blocks"]


async def test_a_connection_that_is_cut_off(frames: OpenFrames, seen: list[Any]) -> None:
    """What waits is handled all the same, once and in order. The thread takes no further event."""
    doors = {number: threading.Event() for number in (1, 2)}
    left = asyncio.Event()

    @register()
    class Consumer(Gated):
        @event
        def block(self, number: int) -> None:
            self.seen.append(f"begins {number}")
            assert doors[number].wait(DEADLINE)
            self.seen.append(f"ends {number}")

        async def disconnect(self, reason: str) -> None:
            left.set()

    frame, client = await joined(frames)
    blocks = '42["block",1]', '42["block",2]'
    await waiting(frame, client, '42["note",0]', *blocks, '42["note",3]', '42["note",4]')
    await eventually(lambda: seen == [0, "begins 1"], "the handler to run")
    frame.task.cancel()
    await eventually(lambda: seen[2:] == ["begins 2"], "the next to run")
    doors[1].set()
    await eventually(lambda: seen[3:] == ["ends 1"], "the first to end")
    for _ in range(50):
        await asyncio.sleep(0)
    assert seen[4:] == []
    doors[2].set()
    await asyncio.wait_for(left.wait(), DEADLINE)
    assert seen[4:] == ["ends 2", 3, 4]
    assert client.backlog is not None
    assert client.backlog.events == 0


async def test_answers_wait_until_rooms_are_joined(
    frames: OpenFrames, seen: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client that has its answer may count on what others send to the room."""
    second = threading.Event()

    @register()
    class Consumer(Gated):
        @event
        def block(self) -> None:
            assert second.wait(DEADLINE)

    frame, client = await joined(frames)
    monkeypatch.setattr(client.local.others, "layer_up", True, raising=False)
    await waiting(frame, client, '42["note",1]', '421["block"]', '422["note",2]', '423["note",3]')
    await eventually(lambda: seen == [1], "the handler to run")
    in_the_room = asyncio.get_running_loop().create_future()
    client.sockets["/"]._joins(in_the_room)
    second.set()
    await eventually(lambda: client.sockets["/"]._joining is None, "the answer to wait")
    assert frame.messages == []
    in_the_room.set_result(None)
    await done(frame, "431[]", "432[2]", "433[3]")


async def test_rooms_are_joined_before_the_next_event(frames: OpenFrames, seen: list[Any]) -> None:
    @register()
    class Consumer(Gated):
        @event
        def enter(self, room: str) -> None:
            self.join(room)

        @event
        def look(self) -> list[str]:
            return sorted(state_of(self).room_names() - {self.sid})

    frame, client = await joined(frames)
    await waiting(frame, client, '42["note",1]', '421["enter","a"]', '422["look"]', '423["look"]')
    await done(frame, "431[]", '432[["a"]]', '433[["a"]]')


async def test_a_handler_may_ask_the_client(frames: OpenFrames, seen: list[Any]) -> None:
    @register()
    class Consumer(Gated):
        @event
        def ask(self) -> None:
            self.seen.append(self.call("question"))

    frame, client = await joined(frames)
    await waiting(frame, client, '42["note",1]', '42["ask"]', '42["note",2]', '42["ask"]')
    for answer in ("one", "two"):
        packet = await frame.receive()
        assert client.backlog is not None
        assert client.backlog.events == (2 if answer == "one" else 0)
        await frame.send(f'43{packet[2:].partition("[")[0]}["{answer}"]')
    await done(frame)
    assert seen == [1, "one", 2, "two"]


@pytest.mark.parametrize(
    "error", [LookupError, SystemExit, StopIteration, asyncio.CancelledError, GeneratorExit]
)
async def test_an_error_is_that_of_its_event(
    frames: OpenFrames, seen: list[Any], errors: Any, error: type[BaseException]
) -> None:
    @register()
    class Consumer(Gated):
        @event
        def fail(self) -> None:
            raise error

        @event
        def unfit(self) -> Any:
            return {1}

    frame, client = await joined(frames)
    before = counters.handler_errors["event"]
    await waiting(frame, client, '421["note",1]', '422["fail"]', '423["unfit"]', '424["note",2]')
    await done(frame, "431[1]", "434[2]")
    assert counters.handler_errors["event"] == before + 2
    messages = [record.getMessage() for record in errors()]
    assert [message.partition(" in ")[0] for message in messages] == [
        "the handler of event fail",
        "the handler of event unfit",
    ]
    timing = client.sockets["/"].handlers["fail"].timing
    assert (timing.count, timing.errors) == (1, 1)


async def test_events_that_need_the_loop_do_not_share(
    frames: OpenFrames, seen: list[Any], visited: list[str]
) -> None:
    """Async handlers, arguments that do not fit, receivers of `event_received`."""

    @register()
    class Consumer(Gated):
        @event
        async def on_the_loop(self) -> None:
            self.seen.append(threading.current_thread() is threading.main_thread())

        @event
        def exact(self, one: int) -> None:
            self.seen.append(one)

        @event("*")
        def rest(self, name: str, *args: Any) -> None:
            self.seen.append((name, *args))

    frame, client = await joined(frames)
    before = counters.events_refused["arguments"]
    await waiting(
        frame,
        client,
        *('42["note",1]', '42["on_the_loop"]', '42["exact"]', '42["exact",2]', '42["other",3]'),
    )
    await done(frame)
    assert seen == [1, True, 2, ("other", 3)]
    assert counters.events_refused["arguments"] == before + 1
    assert len(visited) == 3  # hold; note; exact and other

    heard: list[str] = []

    def hear(sender: Any, event: str, **kwargs: Any) -> None:
        heard.append(event)

    Gated.gate.clear()
    event_received.connect(hear)
    try:
        await waiting(frame, client, '42["note",1]', '42["note",2]')
        await done(frame)
    finally:
        event_received.disconnect(hear)
    assert heard == ["hold", "note", "note", "barrier"]


async def test_each_event_has_its_database_connections_looked_after(
    frames: OpenFrames, seen: list[Any], visited: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def close_old_connections() -> None:
        seen.append("looked after")
        django.db.close_old_connections()

    monkeypatch.setattr(threads, "close_old_connections", close_old_connections)
    register()(Gated)
    frame, client = await joined(frames)
    await waiting(frame, client, *(f'42["note",{number}]' for number in range(3)))
    await done(frame)
    assert seen == ["looked after", 0, "looked after", 1, "looked after", 2]
    assert len(visited) == 2


async def test_a_thread_of_another_client_gets_its_turn(
    settings: Any, frames: OpenFrames, seen: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many events of one client wait, the place is somebody else's after a visit."""
    monkeypatch.setattr(visits, "LONGEST", 0.0)
    settings.SOCKETIO = {"WORKER_THREADS": 1, "MAX_THREADS_PER_CLIENT": 1}
    register()(Gated)
    first, client = await joined(frames)
    second, other = await joined(frames)
    await first.send('42["hold"]', *(f'42["note",{number}]' for number in range(20)))
    await eventually(lambda: client.backlog and client.backlog.events == 20, "the events")
    await second.send('421["note","other"]')
    await eventually(lambda: current_hub().runtime.tasks_of(other), "the event of the other")
    Gated.gate.set()
    assert await second.receive() == '431["other"]'
    await done(first)
    assert seen.index("other") <= 1
