"""How a socket's time in a namespace ends."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from django_socketio import SocketIOConsumer, event, io, register
from django_socketio.exceptions import Disconnected
from tests.harness.inprocess import Frames, Poller
from tests.harness.protocol import Closed
from tests.harness.waiting import eventually
from tests.server.conftest import Connect, OpenFrames
from tests.server.consumers import Base

Errors = Callable[[], list[logging.LogRecord]]

distinguishes = pytest.mark.skipif(
    sys.version_info < (3, 11), reason="tasks do not tell who was cancelled"
)


@pytest.fixture
def reasons() -> list[str]:
    """Why sockets of "/" and "/other" have left, in their order."""
    seen: list[str] = []

    @register("/")
    class Consumer(Base):
        async def disconnect(self, reason: str) -> None:
            seen.append(reason)

        @event
        async def leave_now(self, transport: bool) -> None:
            self.emit("before")
            self.close(transport=transport)
            self.emit("after")

        @event
        def leave_now_plainly(self, transport: bool) -> None:
            self.emit("before")
            self.close(transport)
            self.emit("after")

    @register("/other")
    class Other(Consumer):
        pass

    return seen


# Reasons


async def test_the_client_leaves_the_namespace(frames: OpenFrames, reasons: list[str]) -> None:
    client = await frames()
    await client.enter("/")
    await client.enter("/other")
    await client.send("41", '42/other,1["barrier"]')
    assert await client.receive() == "43/other,1[true]"
    assert reasons == ["client namespace disconnect"]


@pytest.mark.parametrize("code", [None, 1000, 1001, 1005, 1006, 4000])
async def test_the_client_closes_the_connection(
    frames: OpenFrames, reasons: list[str], code: int | None
) -> None:
    client = await frames()
    await client.enter("/")
    await client.enter("/other")
    await client.drop(code)  # type: ignore[arg-type]
    await eventually(lambda: len(reasons) == 2, "disconnect()")
    assert reasons == ["transport close"] * 2


async def test_the_client_closes_the_session(poller: Poller, reasons: list[str]) -> None:
    await poller.open()
    await poller.send("40")
    await poller.receive()
    await poller.send("1")
    await eventually(lambda: reasons, "disconnect()")
    assert reasons == ["transport close"]


async def test_the_connection_breaks(frames: OpenFrames, reasons: list[str]) -> None:
    client = await frames()
    await client.enter("/")
    await client.drop(1002)
    await eventually(lambda: reasons, "disconnect()")
    assert reasons == ["transport error"]


async def test_two_polls_at_once(poller: Poller, reasons: list[str]) -> None:
    await poller.open()
    await poller.send("40")
    await poller.receive()
    first = asyncio.create_task(poller.poll())
    await asyncio.sleep(0)
    second = await poller.poll()
    await first
    assert {second.status, first.result().status} == {200, 400}
    await eventually(lambda: reasons, "disconnect()")
    assert reasons == ["transport error"]


@pytest.mark.parametrize("packet", ["42[", "9", '42/nowhere,["x"]', '42["connect"]', b"stray"])
async def test_the_client_breaks_the_protocol(
    frames: OpenFrames, reasons: list[str], packet: str | bytes
) -> None:
    client, neighbour = await frames(), await frames()
    await client.enter("/")
    await client.enter("/other")
    await neighbour.enter("/")
    await client.send(packet)
    assert await client.rest() == []
    await eventually(lambda: len(reasons) == 2, "disconnect()")
    assert reasons == ["parse error"] * 2
    await neighbour.send('421["barrier"]')
    assert await neighbour.receive() == "431[true]"


async def test_the_client_does_not_answer_pings(
    settings: Any, frames: OpenFrames, reasons: list[str]
) -> None:
    settings.SOCKETIO = {"PING_INTERVAL": 0.05, "PING_TIMEOUT": 0.05}
    client = await frames()
    await client.enter("/")
    assert await client.receive() == "2"
    with pytest.raises(Closed):
        await client.receive()
    assert reasons == ["ping timeout"]


@pytest.mark.parametrize("name", ["leave_now", "leave_now_plainly"])
async def test_the_server_closes_the_namespace(
    frames: OpenFrames, reasons: list[str], name: str
) -> None:
    client = await frames()
    await client.enter("/")
    await client.enter("/other")
    await client.send(f'42["{name}",false]')
    assert await client.receive() == '42["before"]'
    assert await client.receive() == "41"
    await client.send('42/other,1["barrier"]')
    assert await client.receive() == "43/other,1[true]"
    await eventually(lambda: reasons, "disconnect()")
    assert reasons == ["server namespace disconnect"]


@pytest.mark.parametrize("name", ["leave_now", "leave_now_plainly"])
async def test_the_server_closes_the_connection(
    frames: OpenFrames, reasons: list[str], name: str
) -> None:
    client = await frames()
    await client.enter("/")
    await client.enter("/other")
    await client.send(f'42["{name}",true]')
    assert await client.rest() == ['42["before"]', "41", "41/other,"]
    await eventually(lambda: len(reasons) == 2, "disconnect()")
    assert reasons == ["server namespace disconnect"] * 2


async def test_the_server_shuts_down(
    application: Any, frames: OpenFrames, reasons: list[str]
) -> None:
    client = await frames()
    await client.enter("/")
    messages = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    answers = []

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        answers.append(message["type"])

    await application({"type": "lifespan", "asgi": {"version": "3.0"}}, receive, send)
    assert answers == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert await client.rest() == []
    await eventually(lambda: reasons, "disconnect()")
    assert reasons == ["server shutting down"]


# The hook


@pytest.mark.parametrize("plain", [False, True])
async def test_rooms_are_still_there_in_disconnect(connect: Connect, plain: bool) -> None:
    seen: list[Any] = []

    class Consumer(Base):
        async def connect(self, auth: Any) -> None:
            self.join("lobby", "vip", "left")
            self.leave("left")

    def note(self: SocketIOConsumer) -> None:
        seen.append((self.rooms, self.sid, self.connected, self.kwargs, self.handshake.query))
        self.to("lobby").emit("left", self.sid)
        self.emit("to nobody")
        self.join("too late")
        self.leave("lobby")

    class Async(Consumer):
        async def disconnect(self, reason: str) -> None:
            note(self)

    class Plain(Consumer):
        def disconnect(self, reason: str) -> None:
            note(self)

    register()(Plain if plain else Async)
    client, other = await connect(), await connect()
    sid = client.sid
    await client.disconnect()
    ((rooms, *rest),) = seen
    assert rooms == {sid, "lobby", "vip"}
    assert rest[:3] == [sid, False, {}]
    assert await other.receive_event() == ("left", [sid])
    assert await io.to("too late").afetch_sockets() == []
    assert len(await io.to("lobby").afetch_sockets()) == 1


async def test_the_socket_is_in_no_room_any_more_when_disconnect_runs(connect: Connect) -> None:
    found: list[Any] = []

    @register()
    class Consumer(SocketIOConsumer):
        async def connect(self, auth: Any) -> None:
            self.join("lobby")

        async def disconnect(self, reason: str) -> None:
            found.append(await io.to("lobby").afetch_sockets())
            found.append(await io.to(self.sid).acall("anybody?"))
            with pytest.raises(Disconnected):
                await self.acall("anybody?")
            found.append("asked")

    client = await connect()
    await client.disconnect()
    assert found == [[], [], "asked"]


async def test_disconnect_runs_once(connect: Connect) -> None:
    runs: list[str] = []

    @register()
    class Consumer(SocketIOConsumer):
        @event
        async def bye(self) -> None:
            self.close()
            self.close(transport=True)
            io.disconnect_sockets()

        async def disconnect(self, reason: str) -> None:
            self.close(transport=True)
            runs.append(reason)

    client = await connect()
    await client.emit("bye")
    with pytest.raises(Disconnected):
        await client.receive_event()
    await client.disconnect()
    assert runs == ["server namespace disconnect"]


@pytest.mark.parametrize("plain", [False, True])
async def test_a_failing_disconnect_is_logged(
    connect: Connect, errors: Errors, plain: bool
) -> None:
    class Async(SocketIOConsumer):
        async def disconnect(self, reason: str) -> None:
            raise RuntimeError("on purpose")

    class Plain(SocketIOConsumer):
        def disconnect(self, reason: str) -> None:
            raise RuntimeError("on purpose")

    register()(Plain if plain else Async)
    await (await connect()).disconnect()
    (record,) = errors()
    assert record.exc_info is not None
    assert str(record.exc_info[1]) == "on purpose"


@distinguishes
async def test_a_disconnect_that_waits_for_something_cancelled(
    frames: OpenFrames, errors: Errors
) -> None:
    @register()
    class Consumer(SocketIOConsumer):
        async def disconnect(self, reason: str) -> None:
            task = asyncio.create_task(asyncio.Event().wait())
            task.cancel()
            await task

        @event
        async def leave_now(self) -> None:
            self.close()

    register("/other")(Base)
    client = await frames()
    await client.enter("/")
    await client.enter("/other")
    await client.send('42["leave_now"]')
    assert await client.receive() == "41"
    await client.send('42/other,1["barrier"]')
    assert await client.receive() == "43/other,1[true]"
    assert len(errors()) == 1


async def test_disconnect_waits_for_the_handler_that_runs(connect: Connect) -> None:
    order: list[str] = []
    gate = threading.Event()

    @register()
    class Consumer(SocketIOConsumer):
        @event
        def slow(self) -> None:
            order.append("start")
            gate.wait(10)
            order.append("end")

        async def disconnect(self, reason: str) -> None:
            order.append("disconnect")

    client = await connect()
    await client.emit("slow")
    await eventually(lambda: order, "the handler")
    await client.send_input({"type": "websocket.disconnect", "code": 1000})
    asyncio.get_running_loop().call_later(0.01, gate.set)
    await client.wait(10)
    await eventually(lambda: len(order) == 3, "disconnect()")
    assert order == ["start", "end", "disconnect"]


@pytest.mark.parametrize("waits", [False, True])
async def test_disconnect_waits_for_the_handler_that_closes(connect: Connect, waits: bool) -> None:
    order: list[str] = []

    @register()
    class Consumer(SocketIOConsumer):
        @event
        async def bye(self) -> None:
            self.close()
            if waits:
                await asyncio.sleep(0)
            order.append("end")

        async def disconnect(self, reason: str) -> None:
            order.append("disconnect")

    client = await connect()
    await client.emit("bye")
    await eventually(lambda: len(order) == 2, "disconnect()")
    assert order == ["end", "disconnect"]


async def test_a_refused_client_has_no_disconnect(frames: OpenFrames, reasons: list[str]) -> None:
    @register("/refusing")
    class Refusing(SocketIOConsumer):
        async def connect(self, auth: Any) -> None:
            self.emit("never")
            self.close()

        async def disconnect(self, reason: str) -> None:
            reasons.append("of a refused client: " + reason)

    client = await frames()
    await client.send("40/refusing,")
    assert await client.receive() == '44/refusing,{"message":"Connection refused"}'
    await client.drop()
    assert reasons == []


# Coming back


async def test_leaving_and_coming_back(frames: OpenFrames, reasons: list[str]) -> None:
    client = await frames()
    first = await client.enter("/")
    await client.send("41")
    second = await client.enter("/")
    assert first != second
    await client.send('421["barrier"]')
    assert await client.receive() == "431[true]"
    assert [socket.sid for socket in await io.afetch_sockets()] == [second]
    assert reasons == ["client namespace disconnect"]


async def test_coming_back_after_the_server_has_closed(
    frames: OpenFrames, reasons: list[str]
) -> None:
    client = await frames()
    await client.enter("/")
    await client.send('42["leave_now",false]')
    assert [await client.receive(), await client.receive()] == ['42["before"]', "41"]
    await client.enter("/")
    await client.send('421["barrier"]')
    assert await client.receive() == "431[true]"


async def test_a_newcomer_is_a_new_instance(frames: OpenFrames) -> None:
    seen: list[tuple[Any, ...]] = []

    @register()
    class Consumer(SocketIOConsumer):
        async def connect(self, auth: Any) -> None:
            seen.append((self, self.rooms, dict(self.data)))
            self.join("lobby")
            self.data["x"] = 1

    client = await frames()
    await client.enter("/")
    await client.send("41")
    sid = await client.enter("/")
    assert seen[0][0] is not seen[1][0]
    assert seen[1][1:] == ({sid}, {})


async def test_coming_back_while_the_old_disconnect_runs(frames: OpenFrames) -> None:
    gate = asyncio.Event()
    order: list[str] = []

    @register()
    class Consumer(Base):
        async def disconnect(self, reason: str) -> None:
            order.append("leaving")
            await gate.wait()
            order.append("left")

    client: Frames = await frames()
    await client.enter("/")
    await client.send("41")
    await client.enter("/")
    await client.send('421["barrier"]')
    assert await client.receive() == "431[true]"
    assert order == ["leaving"]
    gate.set()
    await eventually(lambda: len(order) == 2, "the old disconnect()")


async def test_an_event_for_a_namespace_that_was_left_breaks_the_protocol(
    frames: OpenFrames, reasons: list[str]
) -> None:
    client = await frames()
    await client.enter("/")
    await client.enter("/other")
    await client.send("41", '42["barrier"]')
    assert await client.rest() == []
    await eventually(lambda: len(reasons) == 2, "disconnect()")
    assert reasons == ["client namespace disconnect", "parse error"]


# What the reason does not say


@pytest.mark.parametrize(
    ("leave", "expected"),
    [
        ("4not a packet", ("parse error", "unknown packet type")),
        ("2", ("transport error", "a client must not ping")),
        ("9", ("parse error", "unknown packet type")),
        ("41", ("client namespace disconnect", None)),
        ("1", ("transport close", None)),
        ('42["leave_now",false]', ("server namespace disconnect", None)),
    ],
)
async def test_the_detail_of_a_disconnect(frames: OpenFrames, leave: str, expected: Any) -> None:
    seen: list[Any] = []

    @register("/")
    class Consumer(Base):
        async def connect(self, auth: Any) -> None:
            seen.append(self.disconnect_detail)

        async def disconnect(self, reason: str) -> None:
            seen.append((reason, self.disconnect_detail))

        @event
        async def leave_now(self, transport: bool) -> None:
            self.close(transport=transport)

    client = await frames()
    await client.enter()
    await client.send(leave)
    await eventually(lambda: len(seen) == 2, "disconnect()")
    assert seen == [None, expected]
