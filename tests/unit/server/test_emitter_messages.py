"""What emitters publish, and what only looks like it."""

from __future__ import annotations

import json
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_socketio.addressing.delivery import NORMAL, Action, Delivery
from django_socketio.addressing.target import Target
from django_socketio.packets import Limits, StandardCodec
from django_socketio.server.emitter_messages import Act, Broadcast, ServerEvent, read

EVENT = {"type": 2, "data": ["news", 1], "nsp": "/a"}
OPTIONS: dict[str, Any] = {"rooms": [], "except": [], "flags": {}}


def read_any(channel: str, data: bytes) -> Any:
    return read("socket.io", channel, data, StandardCodec(), Limits())


def broadcast(packet: Any, options: Any = OPTIONS, channel: str = "socket.io#/a#") -> Any:
    return read_any(channel, msgpack.packb(["emitter", packet, options]))


def request(channel: str = "socket.io-request#/a#", **values: Any) -> Any:
    return read_any(channel, json.dumps(values).encode())


def test_broadcasts() -> None:
    assert broadcast(EVENT) == Broadcast(Target("/a"), "news", [1], NORMAL)
    options = {"rooms": ["x"], "except": ["y", 3], "flags": {"volatile": True, "compress": False}}
    wanted = Broadcast(Target("/a", ("x",), ("y", "3")), "news", [1], Delivery(False, True))
    assert broadcast(EVENT, options, "socket.io#/a#x#") == wanted
    data = ["news", b"\0"]
    assert broadcast({**EVENT, "type": 5, "data": data}).args == [b"\0"]
    assert broadcast({"type": 2, "data": ["x"]}, channel="socket.io#/#").target == Target("/")
    assert broadcast(EVENT, {}).target == Target("/a")


def test_requests() -> None:
    target = Target("/a", ("x",))
    opts = {"rooms": ["x"], "except": []}
    assert request(type=2, opts=opts, rooms=["n"]) == Act(target, Action.JOIN, ["n"])
    assert request(type=3, opts=opts, rooms=["n"]) == Act(target, Action.LEAVE, ["n"])
    assert request(type=4, opts=opts, close=True) == Act(target, Action.DISCONNECT, [])
    assert request(type=4, opts=opts, close=False) == Act(target, Action.CLOSE, [])
    assert request(type=6, data=["hello", 1]) == ServerEvent("/a", "hello", [1])


def test_what_node_servers_ask_each_other_is_not_for_us() -> None:
    assert request(type=0, requestId="x") is None
    assert request(type=5, requestId="x", opts=OPTIONS) is None
    assert request(type=2, requestId="x", sid="y", room="z") is None
    assert read_any("socket.io-request#/a#", b"\x80") is None


@pytest.mark.parametrize(
    "packet",
    [
        None,
        {},
        {**EVENT, "type": 0},
        {**EVENT, "type": 3},
        {**EVENT, "nsp": "/b"},
        {**EVENT, "nsp": ""},
        {**EVENT, "nsp": 1},
        {**EVENT, "data": None},
        {**EVENT, "data": []},
        {**EVENT, "data": [1]},
    ],
)
def test_no_broadcasts(packet: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each has a text of its own
        broadcast(packet)


def test_no_rooms() -> None:
    bad: list[Any] = [{"rooms": "x"}, {"rooms": [None]}, {"except": {}}, None, []]
    for options in bad:
        with pytest.raises(ValueError, match=r"rooms|options"):
            broadcast(EVENT, options)
    with pytest.raises(ValueError, match="rooms"):
        request(type=2, opts={}, rooms=[{}])
    with pytest.raises(ValueError, match="slash"):
        request("socket.io-request#x#", type=2, opts={}, rooms=["x"])


@given(st.binary(max_size=40), st.sampled_from(["socket.io#/#", "socket.io-request#/#"]))
def test_rubbish(data: bytes, channel: str) -> None:
    try:
        read_any(channel, data)
    except (ValueError, AttributeError):
        return
