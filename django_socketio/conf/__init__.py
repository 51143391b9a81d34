"""Reads ``settings.SOCKETIO``, which no other package does: defaults, validation, typed access.

The keys are the names of :class:`Settings` in capitals. They are the names of the Node server's
options in Django's spelling; times are in seconds, sizes in bytes.
https://socket.io/docs/v4/server-options/
"""

from __future__ import annotations

from itertools import chain
from typing import Any, cast

from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed

from .diagnosis import Problem, layer_problems, problems
from .recovery import RecoveryOptions
from .settings import Settings

__all__ = [
    "Problem",
    "RecoveryOptions",
    "Settings",
    "get_settings",
    "is_debug",
    "is_typed",
    "layer_problems",
    "problems",
]

_current: Settings | None = None


def get_settings() -> Settings:
    """Return the current settings.

    Raises ImproperlyConfigured, with the text of the first system-check error, for bad settings.
    """
    global _current
    if _current is None:
        raw = getattr(django_settings, "SOCKETIO", {})
        layers = getattr(django_settings, "CHANNEL_LAYERS", {})
        for problem in chain(problems(raw), layer_problems(raw, layers)):
            raise ImproperlyConfigured(f"{problem.message} {problem.hint}")
        _current = Settings(**{key.lower(): value for key, value in cast(dict, raw).items()})
    return _current


def is_debug() -> bool:
    """Return Django's DEBUG: whether mistakes are looked for at a price."""
    return bool(django_settings.DEBUG)


def is_typed() -> bool:
    """Return ``TYPED``: what classes are that do not say it themselves.

    It is read while classes are made, when settings may not be there yet, or bad, which others say.
    """
    try:
        raw = getattr(django_settings, "SOCKETIO", {})
    except ImproperlyConfigured:
        return False
    return isinstance(raw, dict) and raw.get("TYPED") is True


def _forget(*, setting: str, **kwargs: Any) -> None:
    global _current
    if setting in ("SOCKETIO", "CHANNEL_LAYERS"):
        _current = None


setting_changed.connect(_forget, dispatch_uid="django_socketio.conf")
