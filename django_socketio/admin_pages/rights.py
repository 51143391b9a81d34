"""What staff may do now: asked of the database each time, not of what a socket came in with."""

from __future__ import annotations

from importlib import import_module
from types import SimpleNamespace
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY, get_user, get_user_model

VIEW = "django_socketio.view_serverprocess"
# While a page is open, the rights of who looks at it are asked for every so many seconds.
CHECK_INTERVAL = 5.0


def current_user(user: Any, session: Any) -> Any:
    """Return the user of a socket as the database has it now. Called in a worker thread.

    It is None if it was deleted, and anonymous if ``session``, the socket's, has logged in as
    ``user`` and has ended since: it has logged out, or its password was changed.
    """
    pk = getattr(user, "pk", None)
    if pk is None:
        return user
    if session is not None and session.session_key and session.get(SESSION_KEY) == str(pk):
        store = import_module(settings.SESSION_ENGINE).SessionStore(session.session_key)
        return get_user(SimpleNamespace(session=store))  # type: ignore[arg-type]
    return get_user_model()._default_manager.filter(pk=pk).first()


def may_view(user: Any) -> bool:
    """Return whether a user may see the admin's pages. Called in a worker thread."""
    is_staff = getattr(user, "is_active", False) and getattr(user, "is_staff", False)
    return bool(is_staff and user.has_perm(VIEW))


def still_may_view(user: Any, session: Any) -> bool:
    """Return whether the user of a socket may see the pages now. Called in a worker thread."""
    return may_view(current_user(user, session))
