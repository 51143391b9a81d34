"""Which class serves which namespace."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from django_socketio import SocketIOConsumer, event, register
from tests.server.conftest import Connect

Refused = Callable[..., Awaitable[Any]]


def namespace_of(label: str) -> type[SocketIOConsumer]:
    """A class that tells who it is."""

    class Consumer(SocketIOConsumer):
        @event
        async def who(self) -> tuple[str, Any]:
            return label, self.kwargs

    Consumer.__qualname__ = Consumer.__name__ = label
    return Consumer


async def test_a_fixed_namespace(connect: Connect) -> None:
    register("/chat")(namespace_of("chat"))
    client = await connect("/chat")
    assert await client.call("who") == ("chat", {})


async def test_register_returns_the_class() -> None:
    consumer = namespace_of("chat")
    assert register("/chat")(consumer) is consumer


async def test_the_default_namespace(connect: Connect) -> None:
    register("/")(namespace_of("default"))
    assert await (await connect("/")).call("who") == ("default", {})


async def test_register_without_a_name_means_the_default_namespace(connect: Connect) -> None:
    register()(namespace_of("default"))
    assert await (await connect("/")).call("who") == ("default", {})


async def test_the_slash_may_be_left_out(connect: Connect) -> None:
    register("chat")(namespace_of("chat"))
    register("room-<int:pk>")(namespace_of("room"))
    assert await (await connect("/chat")).call("who") == ("chat", {})
    assert await (await connect("/room-1")).call("who") == ("room", {"pk": 1})


def test_the_class_itself_is_no_namespace() -> None:
    with pytest.raises(TypeError, match="namespace"):
        register(namespace_of("chat"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("route", "namespace", "kwargs"),
    [
        ("/doc-<int:pk>", "/doc-42", {"pk": 42}),
        ("/doc-<pk>", "/doc-42", {"pk": "42"}),
        ("/<slug:team>/chat", "/red-team/chat", {"team": "red-team"}),
        ("/<slug:team>/<int:year>", "/red/2026", {"team": "red", "year": 2026}),
        ("/files/<path:name>", "/files/a/b.txt", {"name": "a/b.txt"}),
        ("/<str:name>", "/é", {"name": "é"}),
    ],
)
async def test_a_dynamic_namespace_captures_as_path_does(
    connect: Connect, route: str, namespace: str, kwargs: dict[str, Any]
) -> None:
    register(route)(namespace_of("dynamic"))
    assert await (await connect(namespace)).call("who") == ("dynamic", kwargs)


async def test_a_uuid_is_converted(connect: Connect) -> None:
    seen = []

    @register("/doc-<uuid:pk>")
    class Doc(SocketIOConsumer):
        async def connect(self, auth: Any) -> None:
            seen.append(self.kwargs["pk"])

    await connect("/doc-12345678-1234-5678-1234-567812345678")
    assert seen[0].int == 0x12345678123456781234567812345678


@pytest.mark.parametrize(
    "namespace", ["/doc-", "/doc-x", "/doc-1x", "/doc-1/", "/doc-1\n", "/x/doc-1", "/DOC-1"]
)
async def test_a_dynamic_namespace_matches_as_a_whole(refused: Refused, namespace: str) -> None:
    register("/doc-<int:pk>")(namespace_of("doc"))
    assert await refused(namespace) == {"message": "Invalid namespace"}


async def test_a_compiled_regex(connect: Connect) -> None:
    register(re.compile(r"/team-(?P<name>[a-z]+)-\d+"))(namespace_of("team"))
    assert await (await connect("/team-red-7")).call("who") == ("team", {"name": "red"})


@pytest.mark.parametrize("namespace", ["/team-1", "/team-red", "/team-red-7x", "/team-red-7\n"])
async def test_a_regex_matches_as_a_whole(refused: Refused, namespace: str) -> None:
    register(re.compile(r"/team-[a-z]+-\d+$"))(namespace_of("team"))
    assert await refused(namespace) == {"message": "Invalid namespace"}


async def test_a_fixed_name_is_preferred_to_a_pattern(connect: Connect) -> None:
    register("/<str:name>")(namespace_of("pattern"))
    register("/chat")(namespace_of("fixed"))
    assert await (await connect("/chat")).call("who") == ("fixed", {})


async def test_patterns_are_tried_in_the_order_of_registration(connect: Connect) -> None:
    register("/doc-<int:pk>")(namespace_of("first"))
    register(re.compile("/doc-.*"))(namespace_of("second"))
    assert (await (await connect("/doc-1")).call("who"))[0] == "first"
    assert (await (await connect("/doc-x")).call("who"))[0] == "second"


async def test_each_dynamic_namespace_is_one_of_its_own(connect: Connect) -> None:
    @register("/doc-<int:pk>")
    class Doc(SocketIOConsumer):
        @event
        async def say(self, text: str) -> str:
            self.namespace.emit("said", text)
            return self.namespace.name

    one, other = await connect("/doc-1"), await connect("/doc-2")
    assert await one.call("say", "x") == "/doc-1"
    assert await one.receive_event() == ("said", ["x"])
    assert await other.call("say", "y") == "/doc-2"
    assert await other.receive_event() == ("said", ["y"])
    assert await one.receive_nothing(timeout=0)


async def test_one_class_may_serve_several_namespaces(connect: Connect) -> None:
    consumer = namespace_of("both")
    register("/a")(consumer)
    register("/b")(consumer)
    assert await (await connect("/a")).call("who") == ("both", {})
    assert await (await connect("/b")).call("who") == ("both", {})


@pytest.mark.parametrize(
    ("one", "again"),
    [
        ("/chat", "/chat"),
        ("/chat", "chat"),
        ("/doc-<int:pk>", "/doc-<int:pk>"),
        ("/doc-<int:pk>", "doc-<int:pk>"),
        (re.compile("/x+"), re.compile("/x+")),
    ],
)
def test_a_namespace_has_one_class(one: Any, again: Any) -> None:
    register(one)(namespace_of("First"))
    with pytest.raises(ImproperlyConfigured, match=r"First.*Second"):
        register(again)(namespace_of("Second"))


def test_the_same_class_may_be_registered_again() -> None:
    consumer = namespace_of("chat")
    register("/chat")(consumer)
    register("/chat")(consumer)


async def test_an_unknown_namespace_is_refused(refused: Refused) -> None:
    assert await refused("/nowhere") == {"message": "Invalid namespace"}
