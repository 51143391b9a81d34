"""Which consumer class serves which namespace."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar, cast

from django.core.exceptions import ImproperlyConfigured
from django.urls.resolvers import RoutePattern

from ..sockets.behaviour import Behaviour
from .classes import behaviour_of
from .guard import is_consumer
from .namespaces import normalise
from .tracebacks import ends_in_project

C = TypeVar("C", bound=type)

# Takes a namespace's name, returns what it captures, None where it does not match.
Matcher = Callable[[str], "dict[str, Any] | None"]


class Registry:
    """Consumer classes by namespace. Fixed names come first, then patterns as registered."""

    def __init__(self) -> None:
        self._fixed: dict[str, type] = {}
        # Serves "/" where nothing else does.
        self.default: type | None = None
        self._patterns: dict[Any, tuple[Matcher, type]] = {}

    @ends_in_project
    def register(self, namespace: str | re.Pattern[str] = "/") -> Callable[[C], C]:
        """See :func:`register`."""
        if not isinstance(namespace, (str, re.Pattern)):
            raise TypeError('register() takes a namespace: @register("/chat")')

        if isinstance(namespace, str):
            namespace = normalise(namespace)

        @ends_in_project
        def decorate(consumer: C) -> C:
            if not is_consumer(consumer):
                raise TypeError(
                    f"{consumer!r} cannot serve namespace {namespace!r}: "
                    "it is no subclass of SocketIOConsumer"
                )
            known = self._known(namespace)
            if known is not None and not _same(known, consumer):
                raise ImproperlyConfigured(
                    f"namespace {namespace!r} is registered twice, for {known!r} and {consumer!r}"
                )
            if isinstance(namespace, re.Pattern):
                self._patterns[namespace] = (_regex_matcher(namespace), consumer)
            elif "<" in namespace:
                self._patterns[namespace] = (_route_matcher(namespace), consumer)
            else:
                self._fixed[namespace] = consumer
            return consumer

        return decorate

    def namespace_of(self, consumer: type) -> str:
        """Return the namespace of a class, or its family where it serves several.

        Raises LookupError for a class that serves none.
        """
        names = self.consumers().get(consumer, [])
        if len(names) == 1 and names[0] in self._fixed:
            return names[0]
        if names:
            return f"{behaviour_of(consumer).name} {' '.join(names)}"
        if consumer is self.default and "/" not in self._fixed:
            return "/"
        raise LookupError(f"{consumer!r} serves no namespace: @register it")

    def family_of(self, namespace: str) -> str:
        """Return the family of a namespace, "" if its class serves no other one."""
        found = self.find(namespace)
        family = "" if found is None else self.namespace_of(found[0])
        return "" if family[:1] == "/" else family

    def unregister(self, namespace: str | re.Pattern[str]) -> None:
        """Remove a namespace; for tests. Raises KeyError if it is not registered."""
        if isinstance(namespace, str):
            namespace = normalise(namespace)
        if namespace in self._patterns:
            del self._patterns[namespace]
        else:
            del self._fixed[cast(str, namespace)]

    def find(self, namespace: str) -> tuple[type, dict[str, Any]] | None:
        """Return the class for a namespace, and what its pattern captured; None for no class."""
        consumer = self._fixed.get(namespace)
        if consumer is not None:
            return consumer, {}
        for match, consumer in self._patterns.values():
            kwargs = match(namespace)
            if kwargs is not None:
                return consumer, kwargs
        if namespace == "/" and self.default is not None:
            return self.default, {}
        return None

    def consumers(self) -> dict[type, list[str]]:
        """Return every registered class with its namespaces as text."""
        found: dict[type, list[str]] = {}
        for name, consumer in self._fixed.items():
            found.setdefault(consumer, []).append(name)
        for pattern, (_, consumer) in self._patterns.items():
            name = pattern.pattern if isinstance(pattern, re.Pattern) else pattern
            found.setdefault(consumer, []).append(name)
        return found

    def _known(self, namespace: str | re.Pattern[str]) -> type | None:
        if namespace in self._patterns:
            return self._patterns[namespace][1]
        return self._fixed.get(namespace) if isinstance(namespace, str) else None


def _same(one: type, other: type) -> bool:
    """Return whether two classes are one, perhaps from a module that was loaded again."""
    return (one.__module__, one.__qualname__) == (other.__module__, other.__qualname__)


def _regex_matcher(pattern: re.Pattern[str]) -> Matcher:
    def match(namespace: str) -> dict[str, Any] | None:
        found = pattern.fullmatch(namespace)
        return None if found is None else found.groupdict()

    return match


def _route_matcher(route: str) -> Matcher:
    pattern = RoutePattern(route[1:], is_endpoint=True)
    pattern.match("")  # a malformed route fails now, not when the first client connects

    def match(namespace: str) -> dict[str, Any] | None:
        found = pattern.match(namespace[1:])
        return None if found is None else found[2]

    return match


registry = Registry()


def find_behaviour(namespace: str) -> tuple[Behaviour, dict[str, Any]] | None:
    """Return what serves a namespace, and what its pattern captured; None if nothing does."""
    found = registry.find(namespace)
    return None if found is None else (behaviour_of(found[0]), found[1])


def family_of(namespace: str) -> str:
    """Return the family of a namespace, "" if it has none; see :class:`~..addressing.target`."""
    return registry.family_of(namespace)


def register(namespace: str | re.Pattern[str] = "/") -> Callable[[C], C]:
    """Return a decorator that makes a :class:`SocketIOConsumer` serve a namespace.

    ``@register("/chat")`` serves one namespace, ``@register()`` the default one, "/". A dynamic
    namespace has converters as in :func:`django.urls.path` (``@register("/doc-<int:pk>")``), or is
    a compiled regular expression, which must match the whole name; what they capture is
    ``self.kwargs``. Fixed names are tried first, then dynamic ones in the order of registration.

    Without a class of its own "/" is served by a plain SocketIOConsumer, as in Node.

    Raises TypeError for what is no consumer class or no namespace, ImproperlyConfigured when
    another class serves the namespace. See https://socket.io/docs/v4/namespaces/
    """
    return registry.register(namespace)
