"""Who is addressed: rooms, users as rooms, exclusion."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, Group, User
from django.utils.functional import SimpleLazyObject
from django.utils.safestring import mark_safe
from hypothesis import given
from hypothesis import strategies as st

from django_socketio.addressing.rooms import (
    UserRoom,
    as_room,
    user_room,
)
from django_socketio.sockets.namespace import LocalNamespace


class Socket:
    """All that a namespace knows of a socket."""

    def __init__(self, sid: str) -> None:
        self.sid = sid

    def __repr__(self) -> str:
        return self.sid


def make_namespace(**rooms: str) -> tuple[LocalNamespace, dict[str, Any]]:
    """A namespace of four sockets, a to d, and of rooms with some of them."""
    namespace: LocalNamespace[Any] = LocalNamespace("/")
    sockets: dict[str, Any] = {sid: Socket(sid) for sid in "abcd"}
    namespace.sockets.update(sockets)
    for room, members in rooms.items():
        for sid in members:
            namespace.join(sockets[sid], room)
    return namespace, sockets


def select(namespace: LocalNamespace, rooms: Any = (), exclude: Any = ()) -> str:
    return "".join(socket.sid for socket in namespace.select(rooms, exclude))


def test_no_room_is_everyone() -> None:
    namespace, _ = make_namespace(red="ab")
    assert select(namespace) == "abcd"


def test_a_room_s_members_in_the_order_in_which_they_joined() -> None:
    namespace, _ = make_namespace(red="cab")
    assert select(namespace, ["red"]) == "cab"
    assert select(namespace, ["unknown"]) == ""


def test_the_members_of_several_rooms_once_each() -> None:
    namespace, _ = make_namespace(red="ab", blue="bc")
    assert select(namespace, ["red", "blue"]) == "abc"
    assert select(namespace, ["red", "unknown", "blue", "red"]) == "abc"
    assert select(namespace, iter(["blue", "red"])) == "bca"


def test_whoever_is_excluded_gets_nothing() -> None:
    namespace, _ = make_namespace(red="ab", blue="bc")
    assert select(namespace, [], ["red"]) == "cd"
    assert select(namespace, ["red"], ["blue"]) == "a"
    assert select(namespace, ["red", "blue"], ["red", "unknown"]) == "c"
    assert select(namespace, ["red"], ["red"]) == ""
    assert select(namespace, [], ["unknown"]) == "abcd"


def test_an_sid_is_a_room() -> None:
    namespace, _ = make_namespace(red="ab")
    assert select(namespace, ["c"]) == "c"
    assert select(namespace, ["c", "red"]) == "cab"
    assert select(namespace, [], ["a"]) == "bcd"
    assert select(namespace, ["red"], ["a", "c"]) == "b"


def test_a_room_may_have_the_name_of_an_sid() -> None:
    namespace, sockets = make_namespace()
    namespace.join(sockets["b"], "a")
    assert select(namespace, ["a"]) == "ab"
    assert select(namespace, [], ["a"]) == "cd"


def test_a_room_without_members_is_forgotten() -> None:
    namespace, sockets = make_namespace(red="ab")
    namespace.leave(sockets["a"], "red")
    assert select(namespace, ["red"]) == "b"
    namespace.leave(sockets["a"], "red")
    namespace.leave(sockets["c"], "red")
    namespace.leave(sockets["b"], "red")
    assert namespace.rooms == {}
    namespace.leave(sockets["b"], "red")


def test_the_first_and_the_last_member_are_told() -> None:
    namespace, sockets = make_namespace()
    assert namespace.name == "/"
    assert namespace.join(sockets["a"], "red") is True
    assert namespace.join(sockets["a"], "red") is False
    assert namespace.join(sockets["b"], "red") is False
    assert namespace.leave(sockets["a"], "red") is False
    assert namespace.leave(sockets["a"], "red") is False
    assert namespace.leave(sockets["b"], "red") is True
    assert namespace.leave(sockets["b"], "red") is False
    assert namespace.join(sockets["b"], "red") is True


def test_joining_twice_is_joining_once() -> None:
    namespace, sockets = make_namespace(red="aa")
    assert select(namespace, ["red"]) == "a"
    namespace.leave(sockets["a"], "red")
    assert select(namespace, ["red"]) == ""


def test_the_selection_may_change_the_namespace() -> None:
    namespace, _ = make_namespace(red="ab")
    for rooms in ([], ["red"], ["red", "c"]):
        for socket in namespace.select(rooms, []):
            namespace.leave(socket, "red")
            namespace.sockets.pop(socket.sid, None)
        namespace, _ = make_namespace(red="ab")


rooms = st.sampled_from(["red", "blue", "green", "a", "b", UserRoom("auth.user", "1")])


@given(
    st.dictionaries(rooms, st.lists(st.sampled_from("abcd"))),
    st.lists(rooms, max_size=4),
    st.lists(rooms, max_size=4),
)
def test_the_selection_is_what_set_theory_says(
    members: dict[Any, list[str]], wanted: list[Any], exclude: list[Any]
) -> None:
    namespace, sockets = make_namespace()
    for room, sids in members.items():
        for sid in sids:
            namespace.join(sockets[sid], room)

    def inside(room: Any) -> set[str]:
        return {*members.get(room, ()), *({room} & set("abcd"))}

    expected = set("abcd") if not wanted else set().union(*map(inside, wanted))
    expected -= set().union(*map(inside, exclude)) if exclude else set()
    found = select(namespace, wanted, exclude)
    assert set(found) == expected
    assert len(found) == len(expected)


# Rooms by name and by user


def test_text_is_a_room() -> None:
    assert as_room("red") == "red"
    namespace, _ = make_namespace(red="a")
    assert select(namespace, [as_room(mark_safe("red"))]) == "a"


def test_a_user_is_a_room_that_no_text_can_name() -> None:
    user = User(pk=7)
    room = as_room(user)
    assert room == UserRoom("auth.user", "7") == user_room(user)
    assert as_room(SimpleLazyObject(lambda: user)) == room
    assert as_room(room) == room
    names: set[object] = {str(room), "7", "auth.user", repr(room)}
    assert room not in names


def test_models_do_not_share_rooms() -> None:
    assert as_room(User(pk=7)) != as_room(Group(pk=7))


def test_a_deferred_or_proxied_user_is_the_same_user() -> None:
    class Proxy(User):
        class Meta:
            proxy = True
            app_label = "auth"

    assert as_room(Proxy(pk=7)) == as_room(User(pk=7))


@pytest.mark.parametrize("user", [AnonymousUser(), User()])
def test_a_user_that_is_not_stored_is_no_room(user: Any) -> None:
    assert user_room(user) is None
    with pytest.raises(ValueError, match="no room"):
        as_room(user)


@pytest.mark.parametrize("room", [None, 7, b"red", ("a", "b"), object()])
def test_anything_else_is_no_room(room: Any) -> None:
    with pytest.raises(TypeError, match="a room is text or a user"):
        as_room(room)
