"""Logins: Django sessions, known by an id that stays when their key changes.

A session gets another key when its user changes the password, and with ``signed_cookies`` whenever
it is saved. So a login writes an id of its own into the session, which keeps it until it logs out.
A session without one (anonymous, or from before this app was installed) is known by its key, of
which only a digest leaves this module: the key is as good as a password.
"""

from __future__ import annotations

from hashlib import sha256
from secrets import token_urlsafe
from typing import Any

from django.contrib.auth import SESSION_KEY

# The key in the session's data: a list of the login's id, then that of the session before it.
ENTRY = "_socketio"


def begin_login(session: Any, former_key: str | None) -> None:
    """Write a new login into a session; ``former_key`` was its key before it logged in."""
    session[ENTRY] = [token_urlsafe(12), *([_digest(former_key)] if former_key else [])]


def login_of(session: Any) -> str | None:
    """Return the login of a client's session, None for a client without a session.

    Makes no query: looks only at what the handshake has loaded.
    """
    ids = _ids(_loaded(session))
    if ids:
        return ids[0]
    key = getattr(session, "session_key", None)
    return _digest(key) if key else None


def user_of(session: Any) -> str:
    """Return the id of a client's user as its session has it, "" where it has none. No query."""
    return str(_loaded(session).get(SESSION_KEY, ""))


def logins_of(session: Any) -> list[str]:
    """Return the logins that are over when ``session`` logs out."""
    key = getattr(session, "session_key", None)
    return [*_ids(session), *([_digest(key)] if key else [])]


def _ids(data: Any) -> list[str]:
    ids = data.get(ENTRY)
    return ids if isinstance(ids, list) and all(isinstance(one, str) for one in ids) else []


def _loaded(session: Any) -> dict[str, Any]:
    # Django's own name; reading the session itself would load it, which is a query.
    data = getattr(session, "_session_cache", None)
    return data if isinstance(data, dict) else {}


def _digest(key: str) -> str:
    return sha256(key.encode()).hexdigest()[:32]
