"""Handlers whose arguments pydantic checks."""

from __future__ import annotations

import dataclasses
import enum
import sys
import traceback
from collections.abc import Awaitable, Callable
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import UUID

import pytest
from annotated_types import Ge, MaxLen
from django.core.exceptions import ImproperlyConfigured
from pydantic import AfterValidator, BaseModel, Field
from typing_extensions import TypedDict

from django_socketio import SocketIOConsumer, event, register
from django_socketio.server.typed import ENDING
from django_socketio.stats import counters
from tests.server.conftest import Connect
from tests.server.consumers import Base

if TYPE_CHECKING:
    from collections import OrderedDict


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclasses.dataclass
class Point:
    x: int
    y: int = 0


class File(TypedDict):
    name: str
    content: bytes


class Odd(TypedDict):
    type: str
    default: bytes
    metadata: list[str]


class Tree(BaseModel):
    name: str
    children: list[Tree] = []


class Picture(BaseModel):
    content: bytes


class Circle(BaseModel):
    kind: Literal["circle"]
    radius: float


class Square(BaseModel):
    kind: Literal["square"]
    side: float


def explode(value: str) -> str:
    raise ValueError(f"a secret and {value}")


class Typed(Base):
    typed = True

    @event
    async def save(self, text: Annotated[str, MaxLen(5)], tags: list[str] = []) -> str:  # noqa: B006
        tags.append("own")
        return f"{text} {tags}"

    @event
    def plain(self, number: int) -> str:
        return repr(number)

    @event
    async def show(
        self,
        when: datetime,
        price: Decimal,
        which: UUID,
        colour: Colour,
        point: Point,
        either: int | str | None,
    ) -> list[str]:
        return [when.isoformat(), *map(repr, (price, which, colour, point, either))]

    @event
    async def upload(self, file: File, thumbnail: bytes | None = None) -> str:
        return repr((file, thumbnail))

    @event
    async def odd(self, odd: Odd) -> str:
        return odd["type"]

    @event
    async def text_or_bytes(self, value: str | bytes) -> str:
        return repr(value)

    @event
    async def tree(self, tree: Tree) -> str:
        return tree.children[0].children[0].name

    @event
    async def picture(self, picture: Picture) -> str:
        return repr(picture.content)

    @event
    async def shape(self, shape: Annotated[Circle | Square, Field(discriminator="kind")]) -> str:
        return type(shape).__name__

    @event
    async def total(self, first: int, /, *more: Annotated[int, Ge(0)]) -> int:
        return first + sum(more)

    @event
    async def anything(self, value: Any) -> str:
        return repr(value)

    @event
    async def words(self, words: list[str]) -> int:
        return len(words)

    @event
    async def mapping(self, mapping: dict[str, int]) -> int:
        return len(mapping)

    @event
    async def exploding(self, value: Annotated[str, AfterValidator(explode)]) -> None: ...

    @event("*")
    async def rest(self, name: str, *args: int) -> str:
        return repr((name, args))


@pytest.fixture
def typed(connect: Connect) -> Callable[..., Awaitable[Any]]:
    """Makes a client of Typed say something; the same client each time."""
    register()(Typed)
    clients: list[Any] = []

    async def call(name: str, *args: Any) -> Any:
        if not clients:
            clients.append(await connect())
        return await clients[0].call(name, *args)

    return call


Call = Callable[..., Awaitable[Any]]


def errors_of(answer: Any) -> list[tuple[str, list[Any]]]:
    """The types and places of the errors in a refusal."""
    error = answer["error"]
    assert (error["code"], error["message"]) == ("invalid", "Invalid arguments")
    assert all(set(item) == {"type", "loc", "msg"} for item in error["errors"])
    return [(item["type"], item["loc"]) for item in error["errors"]]


async def test_arguments_are_checked(typed: Call) -> None:
    assert await typed("save", "hello") == "hello ['own']"
    assert await typed("save", "hello") == "hello ['own']"  # each event has a default of its own
    assert await typed("save", "hello", ["x"]) == "hello ['x', 'own']"
    before = counters.events_refused["invalid"]
    assert await typed("save", "too long", ["x", 1]) == {
        "error": {
            "code": "invalid",
            "message": "Invalid arguments",
            "errors": [
                {
                    "type": "string_too_long",
                    "loc": [0],
                    "msg": "String should have at most 5 characters",
                },
                {"type": "string_type", "loc": [1, 1], "msg": "Input should be a valid string"},
            ],
        }
    }
    assert counters.events_refused["invalid"] == before + 1


async def test_how_many_arguments_there_are(typed: Call) -> None:
    assert errors_of(await typed("save")) == [("missing_positional_only_argument", [0])]
    assert errors_of(await typed("save", "a", [], 1, 2)) == [
        ("unexpected_positional_argument", [2]),
        ("unexpected_positional_argument", [3]),
    ]
    assert await typed("total", 1) == 1
    assert await typed("total", 1, 2, 3) == 6
    assert errors_of(await typed("total", 1, 2, -1)) == [("greater_than_equal", [2])]


async def test_a_plain_handler(typed: Call) -> None:
    assert await typed("plain", "7") == "7"
    assert errors_of(await typed("plain", "x")) == [("int_parsing", [0])]


async def test_values_are_converted(typed: Call) -> None:
    which = "12345678-1234-5678-1234-567812345678"
    when = "2026-01-02T03:04:05Z"
    assert await typed("show", when, "1.10", which, "blue", {"x": 1}, "text") == [
        *("2026-01-02T03:04:05+00:00", "Decimal('1.10')", repr(UUID(which))),
        *("<Colour.BLUE: 'blue'>", "Point(x=1, y=0)", "'text'"),
    ]
    assert errors_of(await typed("show", "now", "x", "1", "green", {"y": "z"}, [])) == [
        ("datetime_from_date_parsing", [0]),
        ("decimal_parsing", [1]),
        ("uuid_parsing", [2]),
        ("enum", [3]),
        ("missing", [4, "x"]),
        ("int_parsing", [4, "y"]),
        ("int_type", [5, "int"]),
        ("string_type", [5, "str"]),
    ]


async def test_bytes_are_attachments_and_text_is_text(typed: Call) -> None:
    file = {"name": "a", "content": b"1"}
    assert await typed("upload", file, b"2") == repr((file, b"2"))
    assert errors_of(await typed("upload", {"name": b"a", "content": "1"}, "2")) == [
        ("string_type", [0, "name"]),
        ("bytes_type", [0, "content"]),
        ("bytes_type", [1]),
    ]
    assert await typed("text_or_bytes", "x") == "'x'"
    assert await typed("text_or_bytes", b"x") == "b'x'"
    assert await typed("anything", b"x") == "b'x'"
    assert errors_of(await typed("save", b"x")) == [("string_type", [0])]


async def test_fields_that_are_named_as_parts_of_schemas(typed: Call) -> None:
    assert await typed("odd", {"type": "x", "default": b"", "metadata": ["y"]}) == "x"
    assert errors_of(await typed("odd", {"type": b"x", "default": "", "metadata": [b"y"]})) == [
        ("string_type", [0, "type"]),
        ("bytes_type", [0, "default"]),
        ("string_type", [0, "metadata", 0]),
    ]


async def test_models(typed: Call) -> None:
    tree = {"name": "a", "children": [{"name": "b", "children": [{"name": "c"}]}]}
    assert await typed("tree", tree) == "c"
    tree["children"][0]["children"][0] = {}  # type: ignore[index]
    assert errors_of(await typed("tree", tree)) == [
        ("missing", [0, "children", 0, "children", 0, "name"])
    ]
    assert await typed("shape", {"kind": "square", "side": 1}) == "Square"
    assert errors_of(await typed("shape", {"kind": "cube"})) == [("union_tag_invalid", [0])]


async def test_the_rest(typed: Call) -> None:
    assert await typed("whatever", 1, "2") == "('whatever', (1, 2))"
    assert errors_of(await typed("whatever", 1, "x")) == [("int_parsing", [2])]


async def test_what_a_client_is_told_is_bounded(typed: Call) -> None:
    told = (await typed("total", *["x"] * 100))["error"]["errors"]
    assert [item["loc"] for item in told[:20]] == [[index] for index in range(20)]
    assert told[20:] == [{"type": "too_many_errors", "loc": [], "msg": "80 further errors"}]
    told = (await typed("total", *["x"] * 1001))["error"]["errors"]
    assert told == [{"type": "too_many_errors", "loc": [], "msg": "1001 further errors"}]
    told = errors_of(await typed("words", *[["x"]] * 5000))
    assert told == [("unexpected_positional_argument", [index]) for index in range(1, 21)]
    told = (await typed("mapping", {"k" * 5000: "x"}))["error"]["errors"]
    assert told[0]["loc"] == [0, "k" * 200]
    told = (await typed("exploding", "x" * 5000))["error"]["errors"]
    assert len(told[0]["msg"]) == 200


@pytest.mark.skipif(not ENDING, reason="this pydantic cannot end early")
async def test_the_first_wrong_item_of_a_container_is_told(typed: Call) -> None:
    assert errors_of(await typed("words", ["x", 1, 2, 3])) == [("string_type", [0, 1])]


async def test_the_classes_of_pydantic_have_rules_of_their_own(typed: Call) -> None:
    """The same with each version of pydantic: one of them takes text for bytes by default."""
    assert await typed("picture", {"content": "text"}) == "b'text'"
    assert errors_of(await typed("picture", {"content": 1})) == [("bytes_type", [0, "content"])]


async def test_untyped_classes_are_as_before(connect: Connect) -> None:
    @register()
    class Consumer(Base):
        @event
        async def double(self, number: int) -> int:
            return number * 2

    client = await connect()
    assert await client.call("double", "x") == "xx"


# auth


class Credentials(BaseModel):
    token: Annotated[str, MaxLen(3)]


async def test_auth(connect: Connect, refused: Callable[..., Awaitable[Any]]) -> None:
    @register()
    class Consumer(SocketIOConsumer):
        typed = True

        def authenticate(self, auth: Credentials) -> Any:
            self.token = auth.token
            return None

        async def connect(self, auth: Credentials | None) -> None:
            assert isinstance(auth, Credentials)

        @event
        async def say(self) -> str:
            return self.token

    assert await (await connect(auth={"token": "abc"})).call("say") == "abc"
    for auth, kind, loc in (
        ({"token": "long"}, "string_too_long", [0, "token"]),
        (None, "model_type", [0]),
    ):
        answer = await refused(auth=auth)
        assert answer["message"] == "Invalid auth"
        assert answer["data"]["code"] == "invalid"
        assert [(e["type"], e["loc"]) for e in answer["data"]["errors"]] == [(kind, loc)]


# When the class is made


def error_of(make: Callable[[], type], kind: type[Exception] = TypeError) -> str:
    with pytest.raises(kind) as caught:
        make()
    assert traceback.extract_tb(caught.value.__traceback__)[-1].filename == __file__
    return str(caught.value)


def make(*, typed: Any = True, **methods: Any) -> type:
    attributes = {name: event(method) for name, method in methods.items()}
    return type("Chat", (SocketIOConsumer,), {"typed": typed, **attributes})


def test_a_parameter_that_cannot_be_typed_is_named() -> None:
    async def bare(self: Any, text: str, tags) -> None: ...  # type: ignore[no-untyped-def]

    async def unknown(self: Any, text: Nowhere) -> None: ...  # type: ignore[name-defined]  # noqa: F821

    async def impossible(self: Any, socket: SocketIOConsumer) -> None: ...

    async def only_checked(self: Any, *args: OrderedDict[str, int]) -> None: ...

    where = "Chat.save(): its parameter"
    assert error_of(lambda: make(save=bare)) == (
        f"{where} 'tags' cannot be typed: it has no annotation (Any takes anything)"
    )
    assert error_of(lambda: make(save=unknown)).startswith(
        f"{where} 'text' cannot be typed: name 'Nowhere' is not defined"
    )
    assert error_of(lambda: make(save=impossible)).startswith(
        f"{where} 'socket' cannot be typed: Unable to generate pydantic-core schema for "
    )
    assert error_of(lambda: make(save=only_checked)).startswith(f"{where} 'args' cannot be typed:")


def test_a_hook_is_named() -> None:
    async def connect(self: Any, auth) -> None: ...  # type: ignore[no-untyped-def]

    assert error_of(
        lambda: type("Chat", (SocketIOConsumer,), {"typed": True, "connect": connect})
    ) == (
        "Chat.connect(): its parameter 'auth' cannot be typed: it has no annotation "
        "(Any takes anything)"
    )


def test_the_result_may_be_annotated_for_type_checkers_alone() -> None:
    async def save(self: Any, text: str) -> OrderedDict[str, int] | None:
        return None

    make(save=save)


def test_names_of_the_class() -> None:
    """An annotation may name a class inside the consumer."""

    class Consumer(SocketIOConsumer):
        typed = True

        class Item(BaseModel):
            text: str

        @event
        async def save(self, item: Item) -> None: ...

    assert Consumer.typed


@pytest.mark.parametrize("value", ["yes", 1, property(lambda self: True)])
def test_typed_is_true_or_false(value: Any) -> None:
    assert error_of(lambda: make(typed=value)).endswith("it must be True or False")


def test_all_classes(settings: Any) -> None:
    async def bare(self, text): ...  # type: ignore[no-untyped-def]

    make(typed=None, save=bare)
    settings.SOCKETIO = {"TYPED": True}
    assert "'text' cannot be typed" in error_of(lambda: make(typed=None, save=bare))
    make(typed=False, save=bare)


def test_without_pydantic(monkeypatch: pytest.MonkeyPatch) -> None:
    import django_socketio.server

    monkeypatch.delattr(django_socketio.server, "typed", raising=False)
    monkeypatch.delitem(sys.modules, "django_socketio.server.typed", raising=False)
    monkeypatch.setitem(sys.modules, "pydantic", None)
    make(typed=None)
    assert error_of(make, ImproperlyConfigured) == (
        "Chat is typed, which needs pydantic 2.6 or newer: pip install channels-socketio[typed]"
    )
