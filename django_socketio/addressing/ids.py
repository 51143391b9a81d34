"""Ids of processes, sessions and sockets: the only place that knows how they are made up.

An id begins with the id of the process that owns it, so that what is addressed to it goes straight
there, and ends with random text, so that nobody can guess it.
"""

from __future__ import annotations

import secrets

# Bytes of randomness; in characters of URL-safe base64 they are a third longer.
_NODE_BYTES, _OWN_BYTES = 6, 15
NODE_LENGTH = 8
SID_LENGTH = 28
# So much of an id's own part tells it apart from others, and is of no use to whoever reads it.
_SHOWN = 8


def new_node() -> str:
    """Make the id of a process: 8 characters."""
    return secrets.token_urlsafe(_NODE_BYTES)


def new_id(node: str) -> str:
    """Make an id for a session or a socket of the process ``node``: 28 characters, 120 random bits
    of its own, as many as in the Node server."""
    return node + secrets.token_urlsafe(_OWN_BYTES)


def owner_of(sid: str) -> str | None:
    """Return the process that an id names, known or not; None for text that is no id."""
    return sid[:NODE_LENGTH] if len(sid) == SID_LENGTH else None


def shortened(sid: str) -> str:
    """Return a part of an id for people to tell sessions apart; the whole would be a key."""
    return sid[NODE_LENGTH : NODE_LENGTH + _SHOWN]
