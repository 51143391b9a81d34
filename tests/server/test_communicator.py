"""`django_socketio.testing` itself."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from django_socketio import ConnectionRefused, event, register
from django_socketio.asgi import SocketIOApplication
from django_socketio.exceptions import AckTimeout, Disconnected
from django_socketio.testing import SocketIOCommunicator
from tests.harness.inprocess import nothing_else
from tests.server.consumers import Base
from tests.server.users import make_user


class Chat(Base):
    login_required = False

    async def connect(self, auth: Any) -> None:
        if auth and auth.get("refuse"):
            raise ConnectionRefused("No", data={"code": 1})

    @event
    async def echo(self, *args: Any) -> tuple[Any, ...]:
        self.emit("echoed", *args)
        return args

    @event
    async def silent(self) -> None:
        raise RuntimeError("on purpose")

    @event
    async def close_now(self, transport: bool) -> None:
        self.close(transport=transport)

    @event(concurrent=True)
    async def ask(self) -> None:
        answer = await self.acall("question", 1)
        self.emit("answered", answer)

    @event
    async def me(self) -> str:
        return self.user.username


@pytest.fixture(autouse=True)
def chat() -> None:
    register("/chat")(Chat)


async def test_as_in_the_documentation(application: Any) -> None:
    communicator = SocketIOCommunicator(application, "/chat", user=make_user(1, username="ada"))
    connected, details = await communicator.connect()
    assert connected is True
    assert details == {"sid": communicator.sid}
    await communicator.emit("echo", "hello", b"\x00")
    assert await communicator.receive_event() == ("echoed", ["hello", b"\x00"])
    assert await communicator.call("me") == "ada"
    assert await communicator.receive_nothing() is True
    await communicator.disconnect()


async def test_a_refusal(application: Any) -> None:
    communicator = SocketIOCommunicator(application, "/chat", auth={"refuse": True})
    answer = await communicator.connect()
    assert not answer
    assert answer.details["message"] == "No"
    assert answer == (False, {"message": "No", "data": {"code": 1}})
    await communicator.disconnect()


async def test_the_default_namespace(application: Any) -> None:
    register("/")(Chat)
    communicator = SocketIOCommunicator(application)
    assert communicator.namespace == "/"
    assert await communicator.connect()
    await communicator.disconnect()


async def test_call_returns_what_was_acknowledged(application: Any) -> None:
    communicator = SocketIOCommunicator(application, "chat")
    await communicator.connect()
    assert await communicator.call("echo") is None
    assert await communicator.call("echo", 1) == 1
    assert await communicator.call("echo", 1, b"2") == (1, b"2")
    # The events that came meanwhile are kept, in their order.
    events = [await communicator.receive_event() for _ in range(3)]
    assert events == [("echoed", []), ("echoed", [1]), ("echoed", [1, b"2"])]
    await communicator.disconnect()


async def test_acknowledge(application: Any) -> None:
    communicator = SocketIOCommunicator(application, "/chat")
    await communicator.connect()
    with pytest.raises(ValueError, match="did not ask"):
        await communicator.acknowledge()
    for answer, received in ((None, None), ("one", "one"), (("a", "b"), ["a", "b"])):
        await communicator.emit("ask")
        assert await communicator.receive_event() == ("question", [1])
        await communicator.acknowledge(answer)
        assert await communicator.receive_event() == ("answered", [received])
    await communicator.disconnect()


async def test_receive_nothing_sees_what_waits(application: Any) -> None:
    communicator = SocketIOCommunicator(application, "/chat")
    await communicator.connect()
    assert await communicator.receive_nothing(timeout=0.01)
    await communicator.emit("echo")
    assert not await communicator.receive_nothing(timeout=5)
    assert await communicator.receive_event() == ("echoed", [])
    assert await communicator.receive_nothing(timeout=0.01)
    await communicator.disconnect()


async def test_an_acknowledgement_is_no_event(application: Any) -> None:
    communicator = SocketIOCommunicator(application, "/chat")
    await communicator.connect()
    await communicator._send(communicator._encoder.event("/chat", "barrier", (), 77))
    assert await communicator.receive_nothing(timeout=0.05)
    await communicator.disconnect()


async def test_no_acknowledgement_in_time(application: Any, errors: Any) -> None:
    communicator = SocketIOCommunicator(application, "/chat")
    await communicator.connect()
    with pytest.raises(AckTimeout):
        await communicator.call("silent", timeout=0.05)
    assert len(errors()) == 1


@pytest.mark.parametrize("transport", [False, True])
async def test_the_server_ends_it(application: Any, transport: bool) -> None:
    communicator = SocketIOCommunicator(application, "/chat")
    await communicator.connect()
    await communicator.emit("close_now", transport)
    with pytest.raises(Disconnected):
        await communicator.receive_event()
    await communicator.disconnect()


async def test_disconnect_waits_for_the_hook(application: Any) -> None:
    finished = []

    @register("/slow")
    class Slow(Base):
        async def disconnect(self, reason: str) -> None:
            await asyncio.sleep(0.02)
            finished.append(reason)

    communicator = SocketIOCommunicator(application, "/slow")
    await communicator.connect()
    await communicator.disconnect()
    assert finished == ["transport close"]


async def test_disconnect_waits_for_its_own_connection_only(application: Any) -> None:
    gate = asyncio.Event()

    @register("/slow")
    class Slow(Base):
        @event(concurrent=True)
        async def wait(self) -> None:
            await gate.wait()

    busy = SocketIOCommunicator(application, "/slow")
    other = SocketIOCommunicator(application, "/slow")
    await busy.connect()
    await other.connect()
    await busy.emit("wait")
    await busy.call("barrier")
    started = asyncio.get_running_loop().time()
    await other.disconnect(timeout=60)
    assert asyncio.get_running_loop().time() - started < 30
    gate.set()
    await busy.disconnect()


async def test_a_path_of_the_applications_own() -> None:
    communicator = SocketIOCommunicator(SocketIOApplication(nothing_else, path="/live/"), "/chat")
    assert await communicator.connect()
    await communicator.disconnect()


async def test_headers(application: Any) -> None:
    seen = []

    @register("/headers")
    class Headers(Base):
        async def connect(self, auth: Any) -> None:
            seen.append(self.handshake.headers)

    communicator = SocketIOCommunicator(application, "/headers", headers=[(b"x-token", b"t")])
    assert await communicator.connect()
    assert seen == [{"x-token": "t"}]
    await communicator.disconnect()


async def test_a_foreign_origin_is_refused(application: Any) -> None:
    headers = [(b"host", b"testserver"), (b"origin", b"https://evil.example")]
    communicator = SocketIOCommunicator(application, "/chat", headers=headers)
    connected, details = await communicator.connect()
    assert not connected
    assert details == {"code": 4, "message": "Forbidden"}
    await communicator.wait()


async def test_pings_are_answered_on_the_way(application: Any, settings: Any) -> None:
    settings.SOCKETIO = {"PING_INTERVAL": 0.05, "PING_TIMEOUT": 0.5}
    communicator = SocketIOCommunicator(application, "/chat")
    await communicator.connect()
    assert await communicator.receive_nothing(timeout=1)
    assert await communicator.call("echo", 1) == 1
    await communicator.disconnect()
