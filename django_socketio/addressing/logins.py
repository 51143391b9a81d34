"""Logins: Django sessions, known by an id that stays when their key changes.

A session gets another key when its user changes the password, and with ``signed_cookies`` whenever
it is saved. So a login writes an id of its own into the session, which keeps it until it logs out.
A session without one (anonymous, or from before this app was installed) is known by its key, of
which only a digest leaves this module: the key is as good as a password.
"""

from __future__ import annotations

from hashlib import sha256
from secrets import token_urlsafe
from typing import Any, NamedTuple

from django.contrib.auth import SESSION_KEY

# The key in the session's data: a list of the login's id, then that of the session before it. A
# second key says that there may be clients which do not know the id.
ENTRY, INCOMPLETE = "_socketio", "_socketio_incomplete"


def begin_login(session: Any, former_key: str | None) -> None:
    """Write a new login into a session; ``former_key`` is the key of the request's cookie."""
    if ENTRY in session:
        return
    session[ENTRY] = [token_urlsafe(12), *([_digest(former_key)] if former_key else [])]
    if former_key and former_key == getattr(session, "session_key", None):
        # Django changes the key unless the user was logged in before; see the module's docstring.
        session[INCOMPLETE] = True


def knows_clients(session: Any) -> bool:
    """Return whether :func:`logins_of` names all clients of a session."""
    return ENTRY in session and INCOMPLETE not in session


class Login(NamedTuple):
    """What is known of a client's session: its id here, and the id of its user, "" for nobody."""

    id: str
    user: str


def login_of(session: Any) -> Login | None:
    """Return the login of a client's session, None for a client without a session.

    Makes no query: looks only at what the handshake has loaded.
    """
    # Django's own name; reading the session itself would load it.
    data = getattr(session, "_session_cache", None)
    if not isinstance(data, dict):
        data = {}
    ids = _ids(data)
    key = getattr(session, "session_key", None)
    if key and not ids:
        ids = [_digest(key)]
    return Login(ids[0], str(data.get(SESSION_KEY, ""))) if ids else None


def logins_of(session: Any) -> list[str]:
    """Return the ids of the logins that are over when ``session`` logs out."""
    key = getattr(session, "session_key", None)
    return [*_ids(session), *([_digest(key)] if key else [])]


def _ids(data: Any) -> list[str]:
    ids = data.get(ENTRY)
    return ids if isinstance(ids, list) and all(isinstance(one, str) for one in ids) else []


def _digest(key: str) -> str:
    return sha256(key.encode()).hexdigest()[:32]
