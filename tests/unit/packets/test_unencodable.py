"""What JSON cannot hold: the error names the event, the place, the type and the cure."""

from __future__ import annotations

import asyncio
import warnings
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.serializers.json import DjangoJSONEncoder
from django.utils.functional import SimpleLazyObject

from django_socketio.packets import Encoder, JSONCodec


class Odd:
    """No type of JSON's."""


@pytest.fixture
def encoder(codec: JSONCodec) -> Encoder:
    return Encoder(codec, DjangoJSONEncoder().default)


@pytest.mark.parametrize(
    ("make", "what", "cure"),
    [
        (Odd, "Odd", "send text, numbers, lists, dicts and bytes"),
        (lambda: {1}, "set", "send list(...) of it"),
        (lambda: (n for n in [1]), "generator", "send list(...) of it"),
        (User, "User", "send some of its fields, such as {'id': object.pk}"),
        (
            lambda: SimpleLazyObject(User),
            "SimpleLazyObject",
            "send some of its fields, such as {'id': object.pk}",
        ),
        (User.objects.all, "QuerySet", "send rows, list(queryset.values(...))"),
        (lambda: User.objects, "UserManager", "send rows, list(objects.values(...))"),
    ],
)
def test_the_error_has_the_cure(encoder: Encoder, make: Any, what: str, cure: str) -> None:
    with pytest.raises(TypeError) as caught:
        encoder.event("/", "news", [1, {"a": [b"x", make()]}])
    assert str(caught.value) == (
        f"event 'news' cannot be sent: args[1]['a'][1] is of type {what}, "
        f"which JSON cannot hold: {cure}"
    )


@pytest.mark.parametrize("kind", ["coroutine", "future"])
def test_a_forgotten_await(encoder: Encoder, kind: str) -> None:
    async def load() -> None: ...

    async def emit() -> None:
        value: Any = load() if kind == "coroutine" else asyncio.get_running_loop().create_future()
        with pytest.raises(TypeError, match=r"args\[0\] is of type .*: did you forget “await”\?"):
            encoder.event("/", "news", [value])
        with pytest.raises(TypeError, match=r"^the acknowledgement cannot be sent: args"):
            encoder.ack("/", [value], 1)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        asyncio.run(emit())


def test_what_contains_itself_is_named_as_before(encoder: Encoder) -> None:
    data: list[Any] = []
    data.append(data)
    with pytest.raises(TypeError, match="event 'news' cannot be sent: data that contains itself"):
        encoder.event("/", "news", [data])


def test_a_key_is_named_by_the_library(encoder: Encoder) -> None:
    with pytest.raises(TypeError, match="event 'news' cannot be sent: keys must be"):
        encoder.event("/", "news", [{(1, 2): 3}])
