"""Finds what is wrong with the settings, and tells how to mend it."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .settings import Settings


@dataclass(frozen=True)
class Problem:
    """Something wrong in ``settings.SOCKETIO``: the key, what is wrong and how to mend it."""

    key: str
    message: str
    hint: str


def problems(raw: Any) -> Iterator[Problem]:
    """Yield everything that is wrong with a value of ``settings.SOCKETIO``."""
    if not isinstance(raw, dict):
        yield Problem(
            "SOCKETIO", "SOCKETIO must be a dict.", 'For example SOCKETIO = {"PING_INTERVAL": 25}.'
        )
        return
    fields = {item.name.upper(): item for item in dataclasses.fields(Settings)}
    for key, value in raw.items():
        if key not in fields:
            close = difflib.get_close_matches(str(key).upper(), fields, n=1)
            hint = (
                f'Did you mean "{close[0]}"?'
                if close
                else f"Known keys: {', '.join(sorted(fields))}."
            )
            yield Problem(str(key), f"SOCKETIO has an unknown key {key!r}.", hint)
            continue
        wrong = fields[key].metadata["validator"](value)
        if wrong is not None:
            shown = _masked(value) if fields[key].metadata["secret"] else repr(value)
            yield Problem(
                key, f'SOCKETIO["{key}"] has a bad value: {shown}.', f"It must be {wrong}."
            )
    if raw.get("CORS_ALLOWED_ORIGINS") == "*" and raw.get("CORS_ALLOW_CREDENTIALS"):
        yield Problem(
            "CORS_ALLOW_CREDENTIALS",
            'SOCKETIO["CORS_ALLOW_CREDENTIALS"] cannot go with "*" in CORS_ALLOWED_ORIGINS.',
            "List the origins whose pages may use their visitors' cookies here.",
        )


def layer_problems(raw: dict[str, Any], layers: dict[str, Any]) -> Iterator[Problem]:
    """Yield what is wrong with ``raw["CHANNEL_LAYER"]``.

    ``layers`` is ``settings.CHANNEL_LAYERS``. If it is empty, the default alias means no layer.
    """
    alias = raw.get("CHANNEL_LAYER", Settings.channel_layer)
    emitter = raw.get("REDIS_EMITTER")
    if emitter and not (isinstance(emitter, dict) and "URL" in emitter):
        layer = layers.get(alias, {}) if isinstance(alias, str) else {}
        if not str(layer.get("BACKEND", "")).startswith("channels_redis."):
            yield Problem(
                "REDIS_EMITTER",
                'SOCKETIO["REDIS_EMITTER"] has no Redis: the channel layer is none of '
                "channels_redis.",
                'Name it: {"URL": "redis://localhost:6379/0"}.',
            )
    if alias in layers or (alias == Settings.channel_layer and not layers):
        return
    known = ", ".join(map(repr, layers)) or "none"
    otherwise = "set the key to a known alias" if layers else "leave the key out"
    yield Problem(
        "CHANNEL_LAYER",
        f'SOCKETIO["CHANNEL_LAYER"] is {alias!r}, which is not in CHANNEL_LAYERS.',
        f"Known aliases: {known}. Add {alias!r} to CHANNEL_LAYERS, or {otherwise}.",
    )


def _masked(value: Any) -> str:
    """Return what may be shown of a secret value: its type, or a dict's keys."""
    if not isinstance(value, dict):
        return f"<{type(value).__name__}>"
    return "{" + ", ".join(f"{key!r}: ***" for key in value) + "}"
