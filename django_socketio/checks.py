"""System checks of the settings, the installed servers and the consumers."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, version
from ipaddress import ip_network
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Info, Tags, Warning, register

from . import process
from .bundles import ADVICE, BUNDLES, find
from .cluster.kinds import SHORTCOMINGS
from .conf import Problem, Settings, layer_problems, problems
from .conf.validators import proxies
from .server.classes import behaviour_of
from .server.guard import is_consumer
from .server.registry import registry
from .server.sources import mentions

# Earlier versions of daphne do not limit the size of a WebSocket message (CVE-2026-44545).
SAFE_DAPHNE = (4, 2, 2)
SIGNED_COOKIES = "django.contrib.sessions.backends.signed_cookies"
IN_MEMORY = "channels.layers.InMemoryChannelLayer"


@register(Tags.compatibility)
def check_settings(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Check that ``SOCKETIO`` has only known keys, good values and an existing channel layer."""
    raw = getattr(settings, "SOCKETIO", {})
    found = [_error(problem, "django_socketio.E001") for problem in problems(raw)]
    if any(error.obj in ("SOCKETIO", "CHANNEL_LAYER") for error in found):
        return found
    layers = getattr(settings, "CHANNEL_LAYERS", {})
    return found + [
        _error(problem, "django_socketio.E002") for problem in layer_problems(raw, layers)
    ]


def _error(problem: Problem, id: str) -> CheckMessage:
    return Error(problem.message, hint=problem.hint, id=id, obj=problem.key)


@register(Tags.security)
def check_daphne(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Check that an installed daphne limits the size of WebSocket messages."""
    try:
        installed = version("daphne")
    except PackageNotFoundError:
        return []
    numbers = tuple(int(part) for part in installed.split(".")[:3] if part.isdigit())
    if numbers >= SAFE_DAPHNE:
        return []
    return [
        Warning(
            f"daphne {installed} puts no limit on the size of a WebSocket message.",
            hint="Upgrade it: pip install 'daphne>=4.2.2'.",
            id="django_socketio.W001",
        )
    ]


@register(Tags.security)
def check_proxies(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Check that not every client counts as a proxy."""
    raw = getattr(settings, "SOCKETIO", {})
    trusted = raw.get("TRUSTED_PROXIES") if isinstance(raw, dict) else None
    if not isinstance(trusted, (list, tuple)) or proxies(trusted) is not None:
        return []
    found = [network for network in map(ip_network, trusted) if network.prefixlen == 0]
    return [
        Warning(
            f'SOCKETIO["TRUSTED_PROXIES"] trusts everybody with {network}: clients choose their '
            "address, and no limit per address holds.",
            hint="Name the proxies' networks, or write how many proxies a request passes.",
            obj="TRUSTED_PROXIES",
            id="django_socketio.W006",
        )
        for network in found
    ]


@register(Tags.security, deploy=True)
def check_sessions(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Check that a session which is over lets nobody connect."""
    if getattr(settings, "SESSION_ENGINE", "") != SIGNED_COOKIES:
        return []
    return [
        Warning(
            "With signed_cookies a copy of a session's cookie lets in whoever has it, also after "
            "the logout.",
            hint="Set SESSION_ENGINE to a backend that keeps sessions on the server.",
            id="django_socketio.W007",
        )
    ]


@register("django_socketio")
def check_channel_layer(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Check that several processes share a channel layer that reaches all of them."""
    backend = _backend()
    asking, workers = process.wanted()
    hint = "Set CHANNEL_LAYERS to channels_redis.pubsub.RedisPubSubChannelLayer."
    if backend in ("", IN_MEMORY):
        if workers > 1:
            kind = "The in-memory channel layer" if backend else "No channel layer"
            return [
                Warning(
                    f"{kind} reaches no other process, but {asking} asks for {workers}.",
                    hint=hint,
                    id="django_socketio.W002",
                )
            ]
    elif backend == "channels_redis.core.RedisChannelLayer":
        return [
            Info(
                "The channel layer channels_redis.core drops what a full channel cannot hold.",
                hint=hint + " Or raise its capacity, which is 100 by default.",
                id="django_socketio.I001",
            )
        ]
    return _shortcomings(backend)


def _shortcomings(backend: str) -> list[CheckMessage]:
    """Say what a layer of another package cannot do."""
    found: list[CheckMessage] = [
        Info(f"The channel layer {backend} {fact}.", hint=hint, id="django_socketio.I002")
        for start, (fact, hint) in SHORTCOMINGS.items()
        if backend.startswith(start)
    ]
    if backend.startswith("channels_postgres.") and "channels_postgres" not in settings.DATABASES:
        found.append(
            Error(
                'channels_postgres leaves groups over the database "channels_postgres", which '
                "DATABASES does not have.",
                hint='Give DATABASES an alias "channels_postgres" for the same database.',
                id="django_socketio.E003",
            )
        )
    return found


@register("django_socketio", deploy=True)
def check_outside(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Check that tasks and commands can send."""
    if _backend() not in ("", IN_MEMORY):
        return []
    return [
        Warning(
            "Without a shared channel layer one process serves all clients, and tasks, management "
            "commands and the shell cannot send.",
            hint="Set CHANNEL_LAYERS to channels_redis.pubsub.RedisPubSubChannelLayer.",
            id="django_socketio.W003",
        )
    ]


@register("django_socketio")
def check_consumers(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Check that each consumer class with event handlers serves a namespace or has subclasses."""
    registered = registry.consumers()
    found: dict[type, None] = {}
    for app in app_configs or apps.get_app_configs():
        name = f"{app.name}.consumers"
        for value in list(vars(sys.modules.get(name, object)).values()):
            # A class that the module only imports is checked where it is defined.
            if is_consumer(value) and f"{value.__module__}.".startswith(f"{name}."):
                found[value] = None
    return [
        Warning(
            f"{consumer.__qualname__} has event handlers, but serves no namespace.",
            hint=f'Write @register("/...") above class {consumer.__name__}.',
            obj=consumer,
            id="django_socketio.W004",
        )
        for consumer in found
        if consumer not in registered and not consumer.__subclasses__() and _handles(consumer)
    ]


@register("django_socketio")
def check_client(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Check that the client is there where the settings ask to serve it."""
    raw = getattr(settings, "SOCKETIO", {})
    asked = isinstance(raw, dict) and raw.get("SERVE_CLIENT") is True
    if not asked or find(BUNDLES["default"]) is not None:
        return []
    return [
        Warning(
            "SERVE_CLIENT is on, but the official client is not installed.",
            hint=ADVICE,
            obj="SERVE_CLIENT",
            id="django_socketio.W005",
        )
    ]


@register("django_socketio")
def check_application(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Check that ASGI_APPLICATION serves Socket.IO, as far as its module's text tells."""
    path = getattr(settings, "ASGI_APPLICATION", None)
    module = path.rpartition(".")[0] if isinstance(path, str) else ""
    if not module or mentions(module, "SocketIOApplication"):
        return []
    return [
        Warning(
            f"ASGI_APPLICATION is {path!r}, whose module does not use SocketIOApplication: clients "
            "get 404.",
            hint="Write there, from django_socketio.asgi: "
            "application = SocketIOApplication(get_asgi_application()).",
            obj="ASGI_APPLICATION",
            id="django_socketio.W008",
        )
    ]


def _handles(consumer: type) -> bool:
    handlers = behaviour_of(consumer).handlers
    return bool(handlers) or not handlers.refuses_rest


def _backend() -> str:
    """Return the dotted path of the channel layer's class, "" if there is none."""
    raw = getattr(settings, "SOCKETIO", {})
    alias = raw.get("CHANNEL_LAYER", Settings.channel_layer) if isinstance(raw, dict) else ""
    layers = getattr(settings, "CHANNEL_LAYERS", {})
    backend: str = layers.get(alias, {}).get("BACKEND", "") if isinstance(alias, str) else ""
    return backend
