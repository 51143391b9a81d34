"""Clients that are refused or cut off: each is counted, and named in the log with its address."""

from __future__ import annotations

from typing import Any

from ..addressing.handshake import address_of
from ..packets import PacketError, PacketLimitExceeded
from ..runtime.log import BurstLog
from ..stats import counters
from .transport import TOO_SLOW


def note_violation(log: BurstLog, scope: dict[str, Any], error: PacketError) -> None:
    """Note that a client has broken the protocol. ``scope`` is its handshake's."""
    counter = counters.limits if isinstance(error, PacketLimitExceeded) else counters.violations
    why = str(error)
    counter.add(why)
    text = "session closed, the client broke the protocol: %s (%s)"
    log.warning(text, why, _who(scope), kind=why)


def note_end(log: BurstLog, scope: dict[str, Any], reason: str, detail: str) -> None:
    """Note that a session was cut off for more than its ``reason`` says."""
    counter = counters.limits if detail in TOO_SLOW else counters.violations
    counter.add(detail)
    log.warning("session closed (%s): %s (%s)", reason, detail, _who(scope), kind=detail)


def note_refusal(log: BurstLog, scope: dict[str, Any], namespace: str, message: object) -> None:
    """Note that a client may not enter a namespace; ``message`` is what it is told."""
    log.info("%s may not enter namespace %s: %s", _who(scope), namespace, message)


def _who(scope: dict[str, Any]) -> str:
    return address_of(scope) or "unknown address"
