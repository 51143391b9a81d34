"""Rooms with different names are different rooms, here and on the channel layer."""

from __future__ import annotations

import re
from itertools import combinations

import pytest

from django_socketio.cluster.messages import group_name
from tests.harness.servers import Server
from tests.harness.wire import Peer, open_peer

START = "x" * 200
NAMES = [
    "a b",
    "a_b",
    "a-b",
    "a.b",
    "a%20b",
    "A B",
    "é",
    "ü",
    "e\u0301",  # looks like the first
    "?",
    "",
    " ",
    "\x00",
    "0",
    "/",
    "/,",
    "specific.channel!name",
    "user",
    "socketio.everyone",
    START,
    START + "y",
    START + "z",
    START[:-1],
    "\U0001f600",
    "\ud83d",  # half of it
]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_group_name_collisions_none_in_a_process(server: Server, name: str) -> None:
    others = [other for other in NAMES if other != name]
    with open_peer(server) as here, open_peer(server) as elsewhere, open_peer(server) as sender:
        here.call("enter", name)
        elsewhere.call("enter", *others)
        sender.call("say", name, "hello")
        assert here.next() == '42["said","hello"]'
        # Nothing has come to the other one: its own answer is the first thing that does.
        word = "nothing before"
        elsewhere.send(f'4299["echo","{word}"]')
        assert elsewhere.next() == f'4399["{word}"]'


def test_group_name_collisions_none_on_the_layer() -> None:
    # As namespaces and as rooms, alone and together.
    parts: list[tuple[str, ...]] = [(name,) for name in NAMES]
    parts += [("/", "room", name) for name in NAMES]
    parts += [(f"/{name}", "room", "a") for name in NAMES]
    parts += [("/", "user", name, "1") for name in NAMES]
    parts += [("/", "user", "1", name) for name in NAMES]
    names = {group_name(*part): part for part in parts}
    for one, other in combinations(parts, 2):
        assert one == other or group_name(*one) != group_name(*other)
    # And each is what channel layers allow.
    for name in names:
        assert len(name) < 100
        assert re.fullmatch(r"[a-zA-Z0-9\-_.]+", name)


def test_group_name_collisions_a_users_room_is_no_text(server: Server, bystander: Peer) -> None:
    """No room that a client can name is the room of a user, or of somebody's sid."""
    with open_peer(server) as peer, open_peer(server) as other:
        for name in (
            "auth.user:1",
            '["user","auth.user","1"]',
            "UserRoom(model='auth.user', pk='1')",
        ):
            assert peer.call("enter", name) == [peer.call("enter")[0]]
        # A room may be called as another's sid: what is sent there does not come from there.
        peer.call("enter", other.sid)
        assert other.call("enter") == [1]
