"""System checks: what is wrong with the settings, and how to mend it."""

from __future__ import annotations

import os
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Info, Tags, Warning, register

from .conf import Settings, problems
from .server.guard import is_consumer
from .server.handlers import collect
from .server.registry import registry

# Before it daphne put no limit on a WebSocket message (CVE-2026-44545).
SAFE_DAPHNE = (4, 2, 2)


@register(Tags.compatibility)
def check_settings(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """``SOCKETIO`` has only keys that are known, with values that make sense."""
    return [
        Error(problem.message, hint=problem.hint, id="django_socketio.E001", obj=problem.key)
        for problem in problems(getattr(settings, "SOCKETIO", {}))
    ]


@register(Tags.security)
def check_daphne(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """An installed daphne limits the size of WebSocket messages."""
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


@register("django_socketio")
def check_channel_layer(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Several processes share a channel layer that reaches them."""
    raw = getattr(settings, "SOCKETIO", {})
    alias = raw.get("CHANNEL_LAYER", Settings.channel_layer) if isinstance(raw, dict) else ""
    backend = getattr(settings, "CHANNEL_LAYERS", {}).get(alias, {}).get("BACKEND", "")
    workers = os.environ.get("WEB_CONCURRENCY", "1")
    hint = "Set CHANNEL_LAYERS to channels_redis.pubsub.RedisPubSubChannelLayer."
    if not backend or backend == "channels.layers.InMemoryChannelLayer":
        if workers.isdigit() and int(workers) > 1:
            kind = "The in-memory channel layer" if backend else "No channel layer"
            return [
                Warning(
                    f"{kind} reaches no other process, but WEB_CONCURRENCY asks for {workers}.",
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
    return []


@register("django_socketio", deploy=True)
def check_outside(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Tasks and commands can send, too."""
    layers = getattr(settings, "CHANNEL_LAYERS", {})
    backends = {layer.get("BACKEND") for layer in layers.values()}
    if backends - {"channels.layers.InMemoryChannelLayer"}:
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
    """A consumer class with event handlers serves a namespace, or is the base of others."""
    registered = registry.consumers()
    found: dict[type, None] = {}
    for app in app_configs or apps.get_app_configs():
        name = f"{app.name}.consumers"
        for value in list(vars(sys.modules.get(name, object)).values()):
            # What the module only imports is another module's matter.
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


def _handles(consumer: type) -> bool:
    handlers = collect(consumer)
    return bool(handlers) or not handlers.refuses_rest
