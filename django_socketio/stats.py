"""Counting: everything that the server counts is counted here, O(1) and without locks."""

from __future__ import annotations

from collections import Counter

# Keys of one tally; reasons that a project makes up must not grow without end.
MAX_KEYS = 200
OTHER = "other"


class Tally(Counter[str]):
    """Counts by what happened."""

    def add(self, key: str, number: int = 1) -> None:
        """Count; what is new when there are many keys already is counted as "other"."""
        if key not in self and len(self) >= MAX_KEYS:
            key = OTHER
        self[key] += number


# Breaches of the protocol, by kind, and limits of SOCKETIO that were hit.
violations = Tally()
limits = Tally()
# Clients that were not admitted to a namespace.
refusals = Tally()
# Events without a handler, with arguments that do not fit, or refused by the project.
events_refused = Tally()
# Exceptions in handlers, by what was handled.
handler_errors = Tally()
# What went over the channel layer: sent, received, lost, dropped, failed, full, malformed, …
layer = Tally()
