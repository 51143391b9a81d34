"""Ids of processes, sessions and sockets. Only this module knows their format.

The id of a session or socket begins with the id of its process, so that messages for it go straight
there. It ends with random text, so that nobody can guess it.
"""

from __future__ import annotations

import re
import secrets

# Random bytes in the id of a process, and in the rest of an id; base64 makes 4 characters of 3.
_NODE_BYTES, _OWN_BYTES = 6, 15
NODE_LENGTH = 8
SID_LENGTH = 28
_NODE = re.compile("[A-Za-z0-9_-]{1,32}")
# How many characters of the rest are shown: enough to tell ids apart, too few to guess one.
_SHOWN = 8


def new_node() -> str:
    """Make the id of a process: 8 characters."""
    return secrets.token_urlsafe(_NODE_BYTES)


def is_node(text: str) -> bool:
    """Return whether a process may have this id: 1 to 32 letters and digits of base64."""
    return _NODE.fullmatch(text) is not None


def new_id(node: str) -> str:
    """Make the id of a session or socket of the process ``node``.

    It has 28 characters; 120 bits of it are random, as many as in the Node server.
    """
    return node + secrets.token_urlsafe(_OWN_BYTES)


def owner_of(sid: str) -> str | None:
    """Return the process that an id names, even if it is unknown; None for text that is no id.

    A client 2.x calls its socket in a namespace ``/namespace#id``, by the id of its session.
    """
    if len(sid) == SID_LENGTH:
        return sid[:NODE_LENGTH]
    of_client2 = sid[:1] == "/" and sid[-SID_LENGTH - 1 : -SID_LENGTH] == "#"
    return sid[-SID_LENGTH : NODE_LENGTH - SID_LENGTH] if of_client2 else None


def shortened(sid: str) -> str:
    """Return a part of a session's id to show to people. With the whole one could take it over."""
    return sid[NODE_LENGTH : NODE_LENGTH + _SHOWN]
