"""Differences from the Node server that hold everywhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.conformance.shapes import BAD_REQUEST, MESSAGES, error


def _reason_of_a_violation(value: Any) -> Any:
    """A broken Socket.IO packet is a "parse error", as an Engine.IO one; Node: "forced close"."""
    return ["disconnect", "parse error"] if value == ["disconnect", "forced close"] else value


def _json_for_a_refused_websocket(value: Any) -> Any:
    """Over WebSocket, too, errors are the protocol's JSON; Node writes the message, as HTML."""
    if isinstance(value, dict) and isinstance(refused := value.get("refused"), dict):
        (message,) = refused["packets"]
        return {"refused": error(MESSAGES.get(message, 4), message, refused["status"])}
    return value


def _json_for_an_empty_error(value: Any) -> Any:
    """Where Node answers 400 or 500 without a word, ours says "Bad request" as JSON."""
    if value in ({"status": 400, "type": None}, {"status": 500, "type": None}):
        return BAD_REQUEST
    return value


def _no_store(value: Any) -> Any:
    """An error answer is not to be kept by caches either."""
    if isinstance(value, dict) and "json" in value and "content-type" in value:
        return {**value, "cache-control": "no-store"}
    return value


def _vary_by_encoding(value: Any) -> Any:
    """A compressed answer says that it depends on Accept-Encoding."""
    if isinstance(value, dict) and "content-encoding" in value:
        others = [value["vary"]] if "vary" in value else []
        return {**value, "vary": ", ".join([*others, "Accept-Encoding"])}
    return value


def _vary_of_a_file(value: Any) -> Any:
    """A file may be kept by caches, so its answer always says what it depends on."""
    if isinstance(value, dict) and value.get("etag") is True:
        return {**value, "vary": "Accept-Encoding, Origin"}
    return value


RULES: list[Callable[[Any], Any]] = [
    _reason_of_a_violation,
    _json_for_a_refused_websocket,
    _json_for_an_empty_error,
    _no_store,
    _vary_by_encoding,
    _vary_of_a_file,
]


def rewrite(value: Any) -> Any:
    if isinstance(value, dict):
        value = {key: rewrite(item) for key, item in value.items()}
    elif isinstance(value, list):
        value = [rewrite(item) for item in value]
    for rule in RULES:
        value = rule(value)
    return value
