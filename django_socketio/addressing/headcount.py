"""How many sockets there are, and of whom: the answer to ``count`` and ``users``."""

from __future__ import annotations

from typing import NamedTuple


class Headcount(NamedTuple):
    """How many sockets, and the ids of their users as text where these were asked for."""

    sockets: int = 0
    users: frozenset[str] = frozenset()

    def and_also(self, other: Headcount) -> Headcount:
        """Return the sum of both; a user who is in both is there once."""
        return Headcount(self.sockets + other.sockets, self.users | other.users)
