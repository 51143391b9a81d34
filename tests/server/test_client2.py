"""Clients 2.x, in raw packets: refused by default, and with ALLOW_EIO3 what they are answered."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import msgpack
import pytest
from django.test import override_settings

from django_socketio import ConnectionRefused, SocketIOConsumer, event, io, register
from django_socketio.server.hubs import current_hub
from django_socketio.stats import counters
from tests.harness.inprocess import Exchange, Frames
from tests.harness.waiting import eventually

POLLING = "EIO=3&transport=polling"
WEBSOCKET = "EIO=3&transport=websocket"


@pytest.fixture
def allowed() -> Iterator[None]:
    with override_settings(SOCKETIO={"ALLOW_EIO3": True, "MAX_AUTH_SIZE": 400}):
        yield


class Chat(SocketIOConsumer):
    async def connect(self, auth: Any) -> None:
        if auth == {"token": "wrong"}:
            raise ConnectionRefused("Wrong token")
        if auth == {"token": "old"}:
            raise ConnectionRefused("Old token", data=[1])

    @event
    async def whoami(self) -> Any:
        return self.sid, self.auth, self.handshake.query.get("token")

    @event
    async def echo(self, *args: Any) -> Any:
        return args


async def open_websocket(application: Any, query: str = "") -> Frames:
    frames = Frames(application, WEBSOCKET + query)
    await frames.open()
    assert await frames.receive() == "40"
    return frames


async def test_without_the_setting_one_warning_says_what_to_switch_on(
    application: Any, logged: Any
) -> None:
    before = counters.requests_refused["UNSUPPORTED_PROTOCOL_VERSION"]
    for _ in range(20):
        answer = await Exchange(application, POLLING).run()
        assert (answer.status, answer.json["code"]) == (400, 5)
        await Frames(application, WEBSOCKET).refused()
    assert counters.requests_refused["UNSUPPORTED_PROTOCOL_VERSION"] == before + 40
    (record,) = logged()
    assert "SOCKETIO['ALLOW_EIO3']" in record.getMessage()


@pytest.mark.parametrize("eio", ["", "2", "5", "34", "4&EIO=3"])
async def test_other_revisions_stay_unsupported(
    application: Any, allowed: None, logged: Any, eio: str
) -> None:
    answer = await Exchange(application, f"EIO={eio}&transport=polling").run()
    assert (answer.status, answer.json["code"]) == (400, 5)
    assert logged() == []


async def test_jsonp_is_refused(application: Any, allowed: None) -> None:
    answer = await Exchange(application, f"{POLLING}&j=0").run()
    assert (answer.status, answer.json) == (400, {"code": 3, "message": "JSONP is not supported"})


async def test_a_session_keeps_its_revision(application: Any, allowed: None) -> None:
    for mine, other in (("3", "4"), ("4", "3")):
        opened = await Exchange(application, f"EIO={mine}&transport=polling").run()
        sid = opened.body.partition(b'"sid":"')[2][:28].decode()
        query = f"EIO={other}&transport=polling&sid={sid}"
        answer = await Exchange(application, query).run()
        assert (answer.status, answer.json["code"]) == (400, 3)


async def test_polling(application: Any, allowed: None) -> None:
    register("/")(Chat)
    opened = await Exchange(application, POLLING).run()
    length, _, packet = opened.body.decode().partition(":")
    assert packet[0] == "0"
    assert int(length) == len(packet)
    sid = packet.partition('"sid":"')[2][:28]
    query = f"{POLLING}&sid={sid}"

    async def poll() -> tuple[str, bytes]:
        answer = await Exchange(application, query).run()
        assert answer.status == 200
        return answer.headers["content-type"], answer.body

    async def post(body: bytes, kind: bytes = b"text/plain;charset=UTF-8") -> Exchange:
        headers = [(b"content-type", kind)]
        return await Exchange(application, query, "POST", headers, [body]).run()

    text, binary = "text/plain; charset=UTF-8", "application/octet-stream"
    assert await poll() == (text, b"2:40")
    assert (await post('20:421["echo","é","😀"]'.encode())).body == b"ok"
    assert await poll() == (text, '13:431["é","😀"]'.encode())
    head = b'451-2["echo",{"_placeholder":true,"num":0}]'
    attachment = b"\x01\x03\xff\x04\x00\xff"
    assert (await post(as_text(head) + attachment, binary.encode())).body == b"ok"
    head = b'461-2[{"_placeholder":true,"num":0}]'
    assert await poll() == (binary, as_text(head) + attachment)
    await post(b"1:2")
    assert await poll() == (text, b"1:3")
    assert (await post(b"1:1")).body == b"ok"
    await eventually(lambda: not current_hub().clients)


def as_text(packet: bytes) -> bytes:
    """A text packet in a binary payload."""
    return b"\x00" + bytes(map(int, str(len(packet)))) + b"\xff" + packet


@pytest.mark.parametrize("base64", [False, True], ids=["binary", "base64"])
async def test_websocket(application: Any, allowed: None, base64: bool) -> None:
    register("/")(Chat)
    frames = await open_websocket(application, "&b64=1" if base64 else "")
    await frames.send('451-7["echo",{"_placeholder":true,"num":0}]', b"\x04\x00\xff")
    assert await frames.receive() == '461-7[{"_placeholder":true,"num":0}]'
    assert await frames.receive() == ("b4AP8=" if base64 else b"\x04\x00\xff")
    await frames.send("2")
    assert await frames.receive() == "3"
    await frames.send("41")
    await frames.send("3")
    assert await frames.rest() == []
    await frames.drop()


async def test_namespaces_and_their_queries(application: Any, allowed: None) -> None:
    register("/chat")(Chat)
    frames = await open_websocket(application, "&token=outer")
    await frames.send("40/chat?token=1&more=%C3%A9,")
    assert await frames.receive() == "40/chat,"
    await frames.send('42/chat,0["whoami"]')
    auth = '{"token":"1","more":"é"}'
    assert await frames.receive() == f'43/chat,0["/chat#{frames.id}",{auth},"outer"]'
    io.of("/chat").to(f"/chat#{frames.id}").emit("found")
    assert await frames.receive() == '42/chat,["found"]'
    for query, said in (
        ("?token=wrong", '"Wrong token"'),
        ("?token=old", '{"message":"Old token","data":[1]}'),
        ("?token=" + "x" * 400, '"auth too large"'),
    ):
        await frames.send("41/chat,", f"40/chat{query},")
        assert await frames.receive() == f"44/chat,{said}"
        await frames.send("40/chat,")
        assert await frames.receive() == "40/chat,"
    await frames.send("40/nowhere,")
    assert await frames.receive() == '44/nowhere,"Invalid namespace"'
    await frames.drop()


async def test_another_parser(application: Any) -> None:
    register("/chat")(Chat)
    with override_settings(SOCKETIO={"ALLOW_EIO3": True, "PARSER": "msgpack"}):
        frames = Frames(application, WEBSOCKET)
        await frames.open()

        async def receive() -> Any:
            packet = await frames.receive()
            assert packet[:1] == b"\x04"
            return msgpack.unpackb(packet[1:])

        async def enter(namespace: str) -> Any:
            await frames.send(b"\x04" + msgpack.packb({"type": 0, "nsp": namespace}))
            return await receive()

        assert await receive() == {"type": 0, "nsp": "/"}
        wrong = {"type": 4, "nsp": "/chat", "data": "Wrong token"}
        assert await enter("/chat?token=wrong") == wrong
        both = {"message": "Old token", "data": [1]}
        assert await enter("/chat?token=old") == {"type": 4, "nsp": "/chat", "data": both}
        assert await enter("/chat?token=1") == {"type": 0, "nsp": "/chat"}
        await frames.drop()


async def test_who_leaves_and_enters_at_once_is_in_once(application: Any, allowed: None) -> None:
    """The client gives its sockets in a namespace the same id, one after the other."""
    gate = asyncio.Event()
    left: list[Any] = []

    @register("/chat")
    class Slow(Chat):
        async def connect(self, auth: Any) -> None:
            if auth:
                await gate.wait()

        async def disconnect(self, reason: str) -> None:
            left.append(self.auth)

    frames = await open_websocket(application)
    before = sum(counters.sockets.now.values())  # by name only up to MAX_KEYS
    await frames.send("40/chat?slow=1,", "41/chat,", "40/chat,")
    assert await frames.receive() == "40/chat,"
    gate.set()  # the first ends now, and takes nothing of the second along
    await eventually(lambda: left == [{"slow": "1"}])
    found = current_hub().local.namespaces["/chat"]
    assert list(found.sockets) == [f"/chat#{frames.id}"]
    assert sum(counters.sockets.now.values()) == before + 1
    await frames.send("41/chat,", "40/chat,")
    assert await frames.receive() == "40/chat,"
    await frames.drop()
    assert "/chat" not in current_hub().local.namespaces


async def test_a_refused_main_namespace(application: Any, allowed: None) -> None:
    @register("/")
    class Members(SocketIOConsumer):
        login_required = True

    frames = Frames(application, WEBSOCKET)
    await frames.open()
    assert await frames.receive() == '44"Login required"'
    await frames.drop()


async def test_a_broadcast_is_made_once_for_each_revision(application: Any, allowed: None) -> None:
    register("/")(Chat)
    old = [await open_websocket(application) for _ in range(2)]
    new = [Frames(application) for _ in range(2)]
    for frames in new:
        await frames.open()
        await frames.enter()
    io.emit("news", b"\x01\x02")
    for frames in (*old, *new):
        await frames.heard(2)
    for first, second in (old, new):
        # The same ASGI messages, not only equal ones.
        assert [id(one) for one in first.messages] == [id(one) for one in second.messages]
    assert old[0].messages[0] is new[0].messages[0]
    assert old[0].messages[1]["bytes"] == b"\x04\x01\x02"
    assert new[0].messages[1]["bytes"] == b"\x01\x02"
    for frames in (*old, *new):
        await frames.drop()
