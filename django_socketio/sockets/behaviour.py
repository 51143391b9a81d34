"""What a consumer class does: its event handlers and hooks, found once per class.

This is all that the server knows of a consumer. It never looks up an attribute by a name that came
from a client, or that a project may use for something else.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from ..exceptions import EventRefused
from ..stats.counters import Timing

ANY_EVENT = "*"

# A consumer: an object of the project, of which only the functions below know more.
Consumer = Any


@dataclass(frozen=True)
class Handler:
    """A method that handles an event, or a hook.

    ``least`` and ``most`` are how many arguments it takes besides ``self``. ``named`` says that the
    event's name comes before them. ``plain`` says that it is a coroutine function that takes the
    arguments only, as nearly all do. ``timing`` counts how long its calls took.
    """

    method: str
    function: Callable[..., Any]
    is_async: bool
    concurrent: bool
    least: int
    most: int
    named: bool = False
    plain: bool = field(init=False)
    timing: Timing = field(default_factory=Timing, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "plain", self.is_async and not self.named)


async def _refuse(consumer: Consumer, name: str, *args: Any) -> None:
    raise EventRefused("no handler")


class Handlers(dict[str, Handler]):
    """The handlers of a class by event name; ``rest`` is for events that have none of their own.

    A client's "*" is an event as any other, so the handler of ``@event("*")`` is not among them.
    """

    __slots__ = ("rest",)

    def __init__(self, handlers: dict[str, Handler]) -> None:
        rest = handlers.pop(ANY_EVENT, None)
        super().__init__(handlers)
        self.rest = rest or Handler("", _refuse, True, False, 1, 10**9, named=True)

    def __missing__(self, name: str) -> Handler:
        return self.rest

    @property
    def refuses_rest(self) -> bool:
        """Whether there is no handler for ``rest``."""
        return self.rest.function is _refuse


# Those of a socket whose ``ready`` runs: none may overlap, so all events wait.
NOT_YET = Handlers({})


@dataclass(frozen=True)
class Behaviour:
    """A consumer class as the server uses it. A hook that the class does not override is None.

    ``make`` makes the consumer of a socket; ``options`` reads ``login_required`` and
    ``permission_required`` from a consumer. ``receive_event`` is called for each event in place of
    its handler.
    """

    cls: type
    make: Callable[[Any], Consumer]
    options: Callable[[Consumer], tuple[bool, tuple[str, ...]]]
    handlers: Handlers
    authenticate: Handler | None
    connect: Handler | None
    ready: Handler | None
    disconnect: Handler | None
    receive_event: Callable[[Consumer, str, list[Any]], Awaitable[Any]] | None

    @property
    def name(self) -> str:
        """The class's module and qualified name."""
        return f"{self.cls.__module__}.{self.cls.__qualname__}"
