"""System checks: what is wrong with the settings, and how to mend it."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from .conf import problems

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
