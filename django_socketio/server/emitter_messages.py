"""What ``@socket.io/redis-emitter`` publishes, without I/O.

A broadcast is MessagePack, ``[uid, packet, options]``, on the channel ``KEY#NAMESPACE#`` or, for
one room, ``KEY#NAMESPACE#ROOM#``. A request is JSON on ``KEY-request#NAMESPACE#``. The format is
that of ``@socket.io/redis-adapter``: https://socket.io/docs/v4/redis-adapter/
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, NamedTuple

from ..addressing.delivery import Action, Delivery
from ..addressing.rooms import Room
from ..addressing.target import Target
from ..packets import JSONCodec, Limits, unpack_msgpack


class Broadcast(NamedTuple):
    """An event for the sockets of ``target``."""

    target: Target
    event: str
    args: list[Any]
    delivery: Delivery


class Act(NamedTuple):
    """What the sockets of ``target`` are to do, with these ``rooms``."""

    target: Target
    action: Action
    rooms: list[str]


class ServerEvent(NamedTuple):
    """What ``serverSideEmit`` sends to the servers."""

    namespace: str
    event: str
    args: list[Any]


class RequestType(IntEnum):
    """The requests that need no answer; Node's adapters also send others to each other."""

    REMOTE_JOIN = 2
    REMOTE_LEAVE = 3
    REMOTE_DISCONNECT = 4
    SERVER_SIDE_EMIT = 6


# EVENT and BINARY_EVENT.
_EVENTS = (2, 5)


def read(
    key: str, channel: str, data: bytes, codec: JSONCodec, limits: Limits
) -> Broadcast | Act | ServerEvent | None:
    """Return what a message on a channel asks for; None for a question of a Node server.

    Raises ValueError for what has another form.
    """
    requests = f"{key}-request#"
    if channel.startswith(requests):
        return _read_request(channel[len(requests) :].removesuffix("#"), data, codec)
    return _read_broadcast(channel.removeprefix(f"{key}#"), data, limits)


def _read_broadcast(rest: str, data: bytes, limits: Limits) -> Broadcast:
    value = unpack_msgpack(data, limits)
    if not isinstance(value, list) or len(value) < 3:
        raise ValueError("a broadcast is [uid, packet, options]")
    _, packet, options = value[:3]
    if not isinstance(packet, dict) or packet.get("type") not in _EVENTS:
        raise ValueError("not an event")
    namespace = packet.get("nsp", "/")
    # A room is named in the packet as well.
    if not isinstance(namespace, str) or not rest.startswith(f"{namespace}#"):
        raise ValueError("the channel of another namespace")
    event, args = _read_event(packet.get("data"))
    if not isinstance(options, dict):
        raise ValueError("options are an object")
    flags = options.get("flags")
    if not isinstance(flags, dict):
        flags = {}
    delivery = Delivery(flags.get("compress") is not False, bool(flags.get("volatile")))
    return Broadcast(_read_target(namespace, options), event, args, delivery)


def _read_request(namespace: str, data: bytes, codec: JSONCodec) -> Act | ServerEvent | None:
    if data[:1] != b"{":
        return None  # between Node servers
    request = codec.loads(data.decode())
    kind = request.get("type")
    if kind == RequestType.SERVER_SIDE_EMIT:
        return ServerEvent(namespace, *_read_event(request.get("data")))
    options = request.get("opts")
    if not isinstance(options, dict) or kind not in iter(RequestType):
        return None
    target = _read_target(namespace, options)
    if kind == RequestType.REMOTE_DISCONNECT:
        return Act(target, Action.DISCONNECT if request.get("close") else Action.CLOSE, [])
    action = Action.JOIN if kind == RequestType.REMOTE_JOIN else Action.LEAVE
    return Act(target, action, _read_rooms(request.get("rooms")))


def _read_event(data: Any) -> tuple[str, list[Any]]:
    if not isinstance(data, list) or not data or not isinstance(data[0], str):
        raise ValueError("an event has a name")
    return data[0], data[1:]


def _read_target(namespace: str, options: dict[str, Any]) -> Target:
    if namespace[:1] != "/":
        raise ValueError("a namespace begins with a slash")
    rooms: tuple[Room, ...] = tuple(_read_rooms(options.get("rooms")))
    return Target(namespace, rooms, tuple(_read_rooms(options.get("except"))))


def _read_rooms(rooms: Any) -> list[str]:
    if rooms is None:
        return []
    if not isinstance(rooms, list) or not all(isinstance(room, (str, int)) for room in rooms):
        raise ValueError("rooms are a list of names")
    return list(map(str, rooms))
