"""Where an operation goes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from django_socketio.addressing.rooms import UserRoom
from django_socketio.addressing.target import Target
from django_socketio.cluster.messages import EVERYONE
from django_socketio.cluster.progress import Progress
from django_socketio.cluster.routing import Router, group_of

FAMILY = "shop.consumers.Doc /doc-<int:pk>"
USER = UserRoom("auth.user", "1")


class Bus:
    """Notes the groups that operations go to."""

    def __init__(self) -> None:
        self.groups: list[str] = []

    def to_group(self, group: str, operation: list[Any], size: int = 0) -> Any:
        self.groups.append(group)
        return Progress().give()


class Peers:
    def channel(self, node: str) -> None: ...


class Visits:
    visitors = frozenset[str]()


class Routed:
    def __init__(self) -> None:
        bus: Any = Bus()
        peers: Any = Peers()
        visits: Any = Visits()
        self.bus = bus
        self.router = Router("node", bus, peers, visits, asyncio.get_running_loop())

    def to(self, target: Target) -> tuple[list[str], Any]:
        """The groups that an operation goes to, and its number."""
        self.bus.groups.clear()
        numbers: list[int] = []

        def make(number: int) -> list[Any]:
            numbers.append(number)
            return []

        taken: Any = self.router.to_target(target, make)
        self.taken = taken
        return list(self.bus.groups), numbers


@pytest.mark.parametrize("rooms", [(), ("a",), ("a", "b", USER)])
async def test_several_namespaces_are_one_group(rooms: Any) -> None:
    routed = Routed()
    assert routed.to(Target("", rooms)) == ([EVERYONE], [0])
    assert routed.to(Target(FAMILY, rooms)) == ([group_of(FAMILY, None)], [0])


async def test_rooms_of_a_namespace_are_groups_of_their_own() -> None:
    groups = [group_of("/chat", "a"), group_of("/chat", USER)]
    assert Routed().to(Target("/chat", ("a", USER))) == (groups, [1])


async def test_rooms_that_sockets_of_several_namespaces_have_just_joined() -> None:
    routed = Routed()
    routed.to(Target("", ("a",)))
    routed.router.remember_joining("", ["new"], routed.taken)
    for namespace in ("/chat", "/doc-1"):
        assert routed.to(Target(namespace, ("new",))) == ([group_of(namespace, None)], [0])
        assert routed.to(Target(namespace, ("a",))) == ([group_of(namespace, "a")], [0])
