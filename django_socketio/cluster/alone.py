"""No other processes: the channel layer is in memory, or there is none."""

from __future__ import annotations

import math
from collections.abc import Coroutine
from typing import Any

from ..addressing.delivery import Action, Delivery
from ..addressing.descriptions import SocketDescription
from ..addressing.headcount import Headcount
from ..addressing.outcomes import NOBODY, Answered, Outcome
from ..addressing.rooms import Room
from ..addressing.target import Target
from ..packets import EncodedPacket
from ..runtime.runtime import Runtime
from .ports import Keeper
from .presence import Presence
from .strangers import Strangers
from .tunnels import Tunnels

MISCONFIGURED = (
    "requests come for sessions of another process, and get “Session ID unknown”: if several "
    "processes serve this site, set CHANNEL_LAYERS to a layer that they share, such as "
    "channels_redis.pubsub.RedisPubSubChannelLayer; the in-memory layer reaches no other process "
    "(docs/deployment.md, “Redis”)"
)


class Alone:
    """:class:`~.ports.Others` of a process that has none: nothing to tell, nobody to ask."""

    shared = False
    layer_up = None

    def __init__(self, node: str, runtime: Runtime) -> None:
        self.tunnels = Tunnels(_send, _has_room, _meet, _last_sign, _spawn)
        self._strangers = Strangers(node, runtime.loop.time())
        self._runtime = runtime

    def owner(self, sid: str) -> None:
        """See :class:`~.ports.Others`. Other processes are not expected: the log says so once."""
        if self._strangers.betray_others(sid, self._runtime.loop.time()):
            self._runtime.log.warning(MISCONFIGURED)

    def take_part(self, presence: Presence) -> None:
        presence.join_nobody()

    async def greeted(self) -> None: ...

    def successor(self) -> None: ...

    async def stop(self, timeout: float = 1.0) -> None: ...

    def room_opened(self, namespace: str, room: Room | None, sid: str) -> None: ...

    def room_closed(self, namespace: str, room: Room | None, sid: str) -> None: ...

    def emit(self, target: Target, packet: EncodedPacket, delivery: Delivery) -> None: ...

    def act(self, target: Target, action: Action, rooms: list[Room]) -> None: ...

    def log_out(self, logins: list[str], user: str) -> None: ...

    def server_emit(self, namespace: str, packet: EncodedPacket) -> None: ...

    async def fetch(self, target: Target) -> tuple[list[SocketDescription], set[str]]:
        return [], set()

    async def count(self, target: Target, users: bool) -> Headcount:
        return Headcount()

    async def ask(
        self,
        target: Target,
        packet: EncodedPacket,
        delivery: Delivery,
        timeout: float,
        answered: Answered | None = None,
    ) -> Outcome:
        return NOBODY

    async def server_call(
        self, namespace: str, packet: EncodedPacket, timeout: float
    ) -> tuple[list[Any], set[str]]:
        return [], set()

    async def seek(self, namespace: str, pid: str) -> tuple[str, str]:
        return "", ""

    def sought(self, namespace: str, pid: str) -> None: ...

    async def take(
        self, node: str, pids: list[str], offset: str | None, all: bool
    ) -> tuple[str, list[list[Any]], int]:
        return "", [], 0

    def bequeath(self, node: str, sessions: str, more: bool) -> None: ...

    def keep_with(self, keeper: Keeper) -> None: ...

    async def gather(
        self, subject: str, params: dict[str, Any], timeout: float
    ) -> tuple[dict[str, Any], set[str]]:
        return {}, set()


# What tunnels are made of where nobody is at the other end.


def _send(node: str, operation: list[Any], size: int) -> None: ...


def _has_room(size: int) -> bool:
    return True


async def _meet(node: str) -> bool:
    return False


def _last_sign(node: str) -> float:
    return -math.inf


def _spawn(coro: Coroutine[Any, Any, None]) -> None:
    coro.close()
