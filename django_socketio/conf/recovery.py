"""``SOCKETIO["CONNECTION_STATE_RECOVERY"]`` as an object."""

from __future__ import annotations

from typing import Any, NamedTuple


class RecoveryOptions(NamedTuple):
    """What waits for clients that have lost their connection, and for how long.

    ``max_disconnection_duration`` is in seconds, as in
    https://socket.io/docs/v4/server-options/#connectionstaterecovery but for the unit. The others
    are bounds: how many sessions wait in a process; what one of them may miss; what a process keeps
    for all (bytes).
    """

    max_disconnection_duration: float = 120
    max_sessions: int = 10_000
    max_session_size: int = 1_000_000
    max_total_size: int = 64_000_000


NAMES = ("MAX_DISCONNECTION_DURATION", "MAX_SESSIONS", "MAX_SESSION_SIZE", "MAX_TOTAL_SIZE")


def read_options(wanted: dict[str, Any] | bool | None) -> RecoveryOptions | None:
    """Return the options that a value of the setting stands for; None where it is off."""
    if isinstance(wanted, dict):
        return RecoveryOptions(**{key.lower(): value for key, value in wanted.items()})
    return RecoveryOptions() if wanted else None
