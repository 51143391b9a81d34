"""What ``DEBUG`` switches on: mistakes of consumers are named in the log, with the cure.

Handlers and hooks are wrapped when a hub first finds their class; without ``DEBUG`` none is.
"""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable, Generator, Iterable
from dataclasses import replace
from difflib import get_close_matches
from time import perf_counter
from typing import Any

from ..exceptions import EventRefused
from ..runtime.runtime import Runtime
from ..sockets.behaviour import Behaviour, Handler, Handlers
from ..sockets.clients import Find
from .forgotten import show_forgotten_awaits
from .registry import registry

# Seconds for which a handler may hold the loop before it is named.
BLOCKED = 0.1
# How many mistakes that clients can vary are named in a process: they choose events and namespaces.
MOST = 200


class Watcher:
    """Finds what serves a namespace, as ``find`` does, and watches it."""

    def __init__(self, runtime: Runtime, find: Find) -> None:
        self._runtime = runtime
        self._find = find
        self._watched: dict[type, Behaviour] = {}
        self._named: set[tuple[str, str]] = set()
        show_forgotten_awaits()

    def find(self, namespace: str) -> tuple[Behaviour, dict[str, Any]] | None:
        """See :data:`.Find`."""
        found = self._find(namespace)
        if found is None:
            if self._is_new("namespace", namespace):
                self._warn(
                    "no consumer serves namespace %s; served are: "
                    + _listed(name for names in registry.consumers().values() for name in names)
                    + ". @register it; consumers are looked for in the module “consumers” of each "
                    "app in INSTALLED_APPS, and a class elsewhere is found when that module "
                    "imports it",
                    namespace,
                    kind=f"namespace {len(self._named)}",
                )
            return None
        behaviour, kwargs = found
        watched = self._watched.get(behaviour.cls)
        if watched is None:
            watched = self._watched[behaviour.cls] = self._watch(behaviour)
        return watched, kwargs

    def _watch(self, behaviour: Behaviour) -> Behaviour:
        def hook(handler: Handler | None) -> Handler | None:
            return None if handler is None else self._watch_handler(behaviour, handler)

        return replace(
            behaviour,
            handlers=self._watch_all(behaviour),
            authenticate=hook(behaviour.authenticate),
            connect=hook(behaviour.connect),
            ready=hook(behaviour.ready),
            disconnect=hook(behaviour.disconnect),
        )

    def _watch_all(self, behaviour: Behaviour) -> Handlers:
        old = behaviour.handlers
        handlers = _Watched(
            {name: self._watch_handler(behaviour, handler) for name, handler in old.items()}
        )
        handlers.refuses_all = old.refuses_rest
        if not old.refuses_rest:
            handlers.rest = self._watch_handler(behaviour, old.rest)
            return handlers

        async def refuse(consumer: Any, name: str, *args: Any) -> None:
            if self._is_new(behaviour.name, name):
                close = get_close_matches(name, old, 1)
                hint = f"; did you mean {close[0]!r}?" if close else ""
                self._warn(
                    "event %s has no handler in " + f"{behaviour.name}; there are: {_listed(old)}"
                    f'{_plain(hint)}. Write a method with @event("..."), or with @event("*") for '
                    "all others",
                    name,
                    kind=f"event {len(self._named)}",
                )
            raise EventRefused("no handler")

        handlers.rest = replace(old.rest, function=refuse)
        return handlers

    def _watch_handler(self, behaviour: Behaviour, handler: Handler) -> Handler:
        function, name = handler.function, f"{behaviour.name}.{handler.method}"

        def check(result: Any) -> Any:
            if inspect.iscoroutine(result):
                self._warn(
                    "%s returned a coroutine that nobody awaits: did you forget “await”? In a "
                    "plain def, use call() in place of acall()",
                    name,
                    kind=name,
                )
            return result

        def blocked(seconds: float) -> None:
            self._warn(
                "%s blocked the event loop for %.1f s, and all clients with it: await what takes "
                "long, or make it a plain def, which runs in a thread",
                name,
                seconds,
                kind=name,
            )

        if handler.is_async:

            @functools.wraps(function)
            async def watched(*args: Any) -> Any:
                called = function(*args)
                if inspect.iscoroutine(called):
                    called = _timed(called, blocked)
                return check(await called)

        else:

            @functools.wraps(function)
            def watched(*args: Any) -> Any:
                return check(function(*args))

        return replace(handler, function=watched)

    def _is_new(self, kind: str, name: str) -> bool:
        if (kind, name) in self._named or len(self._named) >= MOST:
            return False
        self._named.add((kind, name))
        return True

    def _warn(self, text: str, *args: object, kind: str) -> None:
        """Log a warning, from any thread."""
        warn = functools.partial(self._runtime.log.warning, text, *args, kind=kind)
        if self._runtime.here():
            warn()
        else:
            self._runtime.loop.call_soon_threadsafe(warn)


class _Watched(Handlers):
    """The handlers of a watched class: what refuses the rest is one that says so in the log."""

    __slots__ = ("refuses_all",)

    refuses_all: bool

    @property
    def refuses_rest(self) -> bool:
        return self.refuses_all


def _listed(names: Iterable[Any]) -> str:
    """Return names that come from the program as a part of a log's text."""
    return _plain(", ".join(sorted(str(name) for name in names))[:500] or "none")


def _plain(text: str) -> str:
    return text.replace("%", "%%")


@types.coroutine
def _timed(steps: Any, blocked: Callable[[float], None]) -> Generator[Any, Any, Any]:
    """Await a coroutine; call ``blocked`` with the time of each step that holds the loop long."""
    value: Any = None
    failure: BaseException | None = None
    try:
        while True:
            started = perf_counter()
            try:
                waited_for = steps.send(value) if failure is None else steps.throw(failure)
            finally:
                took = perf_counter() - started
                if took > BLOCKED:
                    blocked(took)
            value = failure = None
            try:
                value = yield waited_for
            except GeneratorExit:
                steps.close()
                raise
            except BaseException as error:
                failure = error
    except StopIteration as finished:
        return finished.value
    finally:
        failure = None  # its traceback holds this frame
