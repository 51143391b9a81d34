"""Which consumer serves which namespace."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from django_socketio import SocketIOConsumer
from django_socketio.server.namespaces import normalise
from django_socketio.server.registry import Registry


class One(SocketIOConsumer): ...


class Two(SocketIOConsumer): ...


class Third(SocketIOConsumer): ...


@pytest.fixture
def registry() -> Registry:
    return Registry()


def test_a_fixed_namespace(registry: Registry) -> None:
    assert registry.register("/chat")(One) is One
    assert registry.find("/chat") == (One, {})
    for other in ("/", "/chat/", "/Chat", "chat", "/chat2", "", "/chat\n"):
        assert registry.find(other) is None


def test_the_default_namespace_and_a_missing_slash(registry: Registry) -> None:
    registry.register()(One)
    registry.register("news")(Two)
    assert registry.find("/") == (One, {})
    assert registry.find("/news") == (Two, {})
    assert [normalise(name) for name in ("", "/", "a", "/a", "//a")] == [
        "/",
        "/",
        "/a",
        "/a",
        "//a",
    ]


def test_a_route_captures_and_converts(registry: Registry) -> None:
    registry.register("/doc-<int:pk>")(One)
    registry.register("/<slug:team>/<uuid:id>")(Two)
    assert registry.find("/doc-42") == (One, {"pk": 42})
    for other in (
        "/doc-",
        "/doc-x",
        "/doc-4x",
        "/xdoc-4",
        "/doc-4/",
        "/doc--4",
        "/doc-4\n",
        "doc-4",
    ):
        assert registry.find(other) is None
    key = "12345678-1234-5678-1234-567812345678"
    found = registry.find(f"/blue/{key}")
    assert found is not None
    assert found[0] is Two
    assert {name: str(value) for name, value in found[1].items()} == {"team": "blue", "id": key}
    assert registry.find("/blue/12345678") is None


def test_a_route_without_its_slash(registry: Registry) -> None:
    registry.register("room-<str:name>")(One)
    assert registry.find("/room-a b") == (One, {"name": "a b"})
    assert registry.find("/room-a/b") is None


def test_a_route_refuses_a_number_that_is_too_long(registry: Registry) -> None:
    registry.register("/doc-<int:pk>")(One)
    assert registry.find("/doc-" + "9" * 5000) is None


def test_a_regular_expression_has_to_match_the_whole_name(registry: Registry) -> None:
    registry.register(re.compile(r"/team-(?P<name>\w+)(-(?P<part>\d+))?"))(One)
    assert registry.find("/team-red") == (One, {"name": "red", "part": None})
    assert registry.find("/team-red-7") == (One, {"name": "red", "part": "7"})
    for other in ("/team-", "/team-red-", "x/team-red", "/team-red/x", "/team-red\n"):
        assert registry.find(other) is None


def test_fixed_names_go_before_patterns_and_patterns_in_their_order(registry: Registry) -> None:
    class Three(SocketIOConsumer): ...

    registry.register(re.compile("/a.*"))(One)
    registry.register("/<str:any>")(Two)
    registry.register("/abc")(Three)
    assert registry.find("/abc") == (Three, {})
    assert registry.find("/abd") == (One, {})
    assert registry.find("/xyz") == (Two, {"any": "xyz"})


@pytest.mark.parametrize("namespace", ["/", "/chat", "/doc-<int:pk>", re.compile("/team-.*")])
def test_a_namespace_has_one_consumer(registry: Registry, namespace: Any) -> None:
    registry.register(namespace)(One)
    registry.register(namespace)(One)  # a module that is imported once more
    again = type("One", (SocketIOConsumer,), {"__module__": One.__module__})
    registry.register(namespace)(again)
    with pytest.raises(ImproperlyConfigured, match="registered twice"):
        registry.register(namespace)(Two)


def test_the_slash_makes_no_other_namespace(registry: Registry) -> None:
    registry.register("chat")(One)
    with pytest.raises(ImproperlyConfigured, match="registered twice"):
        registry.register("/chat")(Two)
    registry.register("doc-<int:pk>")(One)
    with pytest.raises(ImproperlyConfigured, match="registered twice"):
        registry.register("/doc-<int:pk>")(Two)


def test_a_module_that_is_loaded_again_replaces_its_consumer(registry: Registry) -> None:
    registry.register("/chat")(One)
    again = type("One", (SocketIOConsumer,), {"__module__": One.__module__})
    registry.register("/chat")(again)
    assert registry.find("/chat") == (again, {})


@pytest.mark.parametrize("namespace", ["/", "/chat", "/doc-<int:pk>", re.compile("/team-.*")])
def test_a_namespace_may_be_taken_away(registry: Registry, namespace: Any) -> None:
    registry.register(namespace)(One)
    registry.unregister(namespace)
    for name in ("/", "/chat", "/doc-1", "/team-red"):
        assert registry.find(name) is None
    registry.register(namespace)(Two)
    registry.unregister(namespace)
    with pytest.raises(KeyError):
        registry.unregister(namespace)


def test_a_route_may_be_taken_away_without_its_slash(registry: Registry) -> None:
    registry.register("/doc-<int:pk>")(One)
    registry.unregister("doc-<int:pk>")
    assert registry.find("/doc-1") is None


@pytest.mark.parametrize("namespace", [One, None, 5, b"/chat"])
def test_register_takes_a_namespace(registry: Registry, namespace: Any) -> None:
    with pytest.raises(TypeError, match="takes a namespace"):
        registry.register(namespace)


@pytest.mark.parametrize("route", ["/<int:>", "/<nothing:pk>", "/<int:a>/<int:a>"])
def test_a_route_that_is_none_is_an_error_at_once(registry: Registry, route: str) -> None:
    with pytest.raises((ImproperlyConfigured, re.error)):
        registry.register(route)(One)


# What a class stands for


def test_a_class_of_one_fixed_namespace(registry: Registry) -> None:
    registry.register("/chat")(One)
    assert registry.namespace_of(One) == "/chat"
    assert registry.family_of("/chat") == registry.family_of("/nowhere") == ""


def test_a_class_of_several_namespaces_is_a_family(registry: Registry) -> None:
    registry.register("/doc-<int:pk>")(One)
    registry.register(re.compile("/x.*"))(One)
    registry.register("/a")(Two)
    registry.register("/b")(Two)
    one, two = registry.namespace_of(One), registry.namespace_of(Two)
    assert one == f"{__name__}.One /doc-<int:pk> /x.*"
    assert two == f"{__name__}.Two /a /b"
    assert [registry.family_of(name) for name in ("/doc-1", "/xyz", "/a", "/b")] == [
        one,
        one,
        two,
        two,
    ]


def test_a_class_that_serves_nothing(registry: Registry) -> None:
    with pytest.raises(LookupError, match="register"):
        registry.namespace_of(One)


def test_the_class_of_the_default_namespace(registry: Registry) -> None:
    registry.default = One
    assert registry.find("/") == (One, {})
    assert registry.namespace_of(One) == "/"
    registry.register(re.compile("/.?"))(Third)
    assert registry.find("/") == (Third, {})
    registry.register("/")(Two)
    assert registry.find("/") == (Two, {})
    with pytest.raises(LookupError):
        registry.namespace_of(One)
