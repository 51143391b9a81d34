"""What is acknowledged, and what a question returns: one rule both ways."""

from __future__ import annotations

import datetime
import decimal
import json
import logging
import uuid
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from django.utils.translation import gettext_lazy

from django_socketio import SocketIOConsumer, event, register
from django_socketio.exceptions import AckTimeout, Disconnected
from tests.harness.waiting import eventually
from tests.server.conftest import Connect, OpenFrames
from tests.server.consumers import Base


class Point(NamedTuple):
    x: int
    y: int


RESULTS = {
    "none": (None, "[]"),
    "nothing in a tuple": ((), "[]"),
    "one": (1, "[1]"),
    "false": (False, "[false]"),
    "zero": (0, "[0]"),
    "empty text": ("", '[""]'),
    "null in a tuple": ((None,), "[null]"),
    "one in a tuple": (("a",), '["a"]'),
    "two": (("a", {"b": 1}), '["a",{"b":1}]'),
    "a list": ([1, 2], "[[1,2]]"),
    "an empty list": ([], "[[]]"),
    "a dict": ({"a": None}, '[{"a":null}]'),
    "a tuple in a list": ([(1, 2)], "[[[1,2]]]"),
}


@pytest.mark.parametrize("label", RESULTS)
async def test_a_return_value_is_the_acknowledgement(frames: OpenFrames, label: str) -> None:
    result, arguments = RESULTS[label]

    @register()
    class Consumer(SocketIOConsumer):
        @event("async")
        async def not_plain(self) -> Any:
            return result

        @event
        def plain(self) -> Any:
            return result

    client = await frames()
    await client.enter("/")
    await client.send('427["async"]', '428["plain"]')
    assert await client.receive() == "437" + arguments
    assert await client.receive() == "438" + arguments


async def test_binary_results(frames: OpenFrames) -> None:
    @register()
    class Consumer(SocketIOConsumer):
        @event
        async def blobs(self) -> Any:
            return b"\x01", {"deep": [bytearray(b"\x02"), memoryview(b"\x03")]}

    client = await frames()
    await client.enter("/")
    await client.send('425["blobs"]')
    head = await client.receive()
    assert head.startswith("463-5[")
    assert json.loads(head[5:])[0] == {"_placeholder": True, "num": 0}
    assert [await client.receive() for _ in range(3)] == [b"\x01", b"\x02", b"\x03"]


async def test_results_that_djangos_json_encoder_knows(connect: Connect) -> None:
    @register()
    class Consumer(SocketIOConsumer):
        @event
        def types(self) -> Any:
            return [
                datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc),
                datetime.date(2026, 1, 2),
                decimal.Decimal("1.10"),
                uuid.UUID(int=1),
                gettext_lazy("lazy"),
                float("nan"),
            ]

    assert await (await connect()).call("types") == [
        "2026-01-02T03:04:05Z",
        "2026-01-02",
        "1.10",
        "00000000-0000-0000-0000-000000000001",
        "lazy",
        None,
    ]


async def test_no_acknowledgement_for_who_did_not_ask(frames: OpenFrames) -> None:
    @register()
    class Consumer(Base):
        @event
        async def one(self) -> int:
            return 1

    client = await frames()
    await client.enter("/")
    await client.send('42["one"]', '420["barrier"]')
    assert await client.receive() == "430[true]"


async def test_no_acknowledgement_without_a_good_answer(
    frames: OpenFrames, errors: Callable[[], list[logging.LogRecord]]
) -> None:
    @register()
    class Consumer(Base):
        @event
        async def fails(self) -> None:
            raise RuntimeError("on purpose")

        @event
        async def none(self) -> None: ...

    client = await frames()
    await client.enter("/")
    await client.send('421["unhandled"]', '422["none",1]', '423["fails"]', '424["barrier"]')
    assert await client.receive() == "434[true]"
    assert len(errors()) == 1


async def test_no_acknowledgement_after_the_socket_has_left(frames: OpenFrames) -> None:
    @register()
    class Consumer(SocketIOConsumer):
        @event
        async def leave_now(self) -> str:
            self.close()
            return "too late"

    register("/other")(Base)
    client = await frames()
    await client.enter("/")
    await client.enter("/other")
    await client.send('421["leave_now"]', '42/other,2["barrier"]')
    assert [await client.receive() for _ in range(2)] == ["41", "43/other,2[true]"]


# Questions


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        (None, None),
        ((), None),
        ("one", "one"),
        (False, False),
        ((None,), None),
        (("a", "b"), ("a", "b")),
        ([1, 2], [1, 2]),
        (b"\x00", b"\x00"),
        ({"x": b"\x00"}, {"x": b"\x00"}),
    ],
)
async def test_what_a_question_returns(connect: Connect, answer: Any, result: Any) -> None:
    got: list[Any] = []

    @register()
    class Consumer(Base):
        @event
        async def ask(self) -> None:
            got.append(await self.acall("question", 1, b"2"))

        @event
        def ask_plainly(self) -> None:
            got.append(self.call("question", 1, b"2"))

    client = await connect()
    for name in ("ask", "ask_plainly"):
        await client.emit(name)
        assert await client.receive_event() == ("question", [1, b"2"])
        await client.acknowledge(answer)
    await client.call("barrier")
    assert got == [result, result]
    assert [type(value) for value in got] == [type(result)] * 2


async def test_too_late_is_a_timeout(connect: Connect) -> None:
    caught: list[AckTimeout] = []

    @register()
    class Consumer(Base):
        @event
        async def ask(self) -> None:
            try:
                await self.timeout(0.01).acall("question")
            except AckTimeout as error:
                caught.append(error)

        @event
        def ask_plainly(self) -> None:
            try:
                self.timeout(0.01).call("question")
            except TimeoutError as error:
                caught.append(error)  # type: ignore[arg-type]

    client = await connect()
    await client.emit("ask")
    await client.emit("ask_plainly")
    await client.call("barrier")
    assert [type(error) for error in caught] == [AckTimeout, AckTimeout]
    assert [(error.answers, error.missing) for error in caught] == [([], 1), ([], 1)]
    # An answer that comes too late, or to no question at all, is ignored.
    await client.receive_event()
    await client.acknowledge("late")
    await client.send_input({"type": "websocket.receive", "text": '43999["to nothing"]'})
    assert await client.call("barrier") is True


async def test_ack_timeout_of_the_settings_holds(connect: Connect, settings: Any) -> None:
    settings.SOCKETIO = {"ACK_TIMEOUT": 0.01}
    caught: list[AckTimeout] = []

    @register()
    class Consumer(Base):
        @event
        async def ask(self) -> None:
            try:
                await self.acall("question")
            except AckTimeout as error:
                caught.append(error)

    client = await connect()
    await client.emit("ask")
    await client.call("barrier")
    assert caught


async def test_an_answer_counts_once(frames: OpenFrames) -> None:
    got: list[Any] = []

    @register()
    class Consumer(Base):
        @event(concurrent=True)
        async def ask(self) -> None:
            got.append(await self.acall("question"))

    client = await frames()
    await client.enter("/")
    await client.send('42["ask"]', '42["ask"]')
    packets = sorted([await client.receive(), await client.receive()])
    assert packets == ['420["question"]', '421["question"]']
    await client.send('431["b"]', '431["c"]', '430["a"]', '42["barrier"]', '429["barrier"]')
    assert await client.receive() == "439[true]"
    await eventually(lambda: len(got) == 2, "both answers")
    assert got == ["b", "a"]


async def test_a_socket_that_has_left_cannot_be_asked(connect: Connect) -> None:
    sockets: list[SocketIOConsumer] = []

    @register()
    class Consumer(SocketIOConsumer):
        async def connect(self, auth: Any) -> None:
            sockets.append(self)

    client = await connect()
    await client.disconnect()
    with pytest.raises(Disconnected):
        await sockets[0].acall("question")


async def test_connect_cannot_ask(connect: Connect) -> None:
    caught: list[RuntimeError] = []

    @register("/async")
    class Async(SocketIOConsumer):
        async def connect(self, auth: Any) -> None:
            with pytest.raises(RuntimeError) as error:
                await self.acall("question")
            caught.append(error.value)

    @register("/plain")
    class Plain(SocketIOConsumer):
        def connect(self, auth: Any) -> None:
            with pytest.raises(RuntimeError) as error:
                self.call("question")
            caught.append(error.value)

    await connect("/async")
    await connect("/plain")
    assert len(caught) == 2
