"""What happens when somebody logs in or out: the receivers of Django's signals."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from ..addressing.logins import begin_login, knows_clients, logins_of
from ..logs import logger, safe
from .hubs import on_all_hubs


def note_login(*, request: Any, **kwargs: Any) -> None:
    """Write into the session by what its clients are found when it logs out."""
    session = getattr(request, "session", None)
    if session is not None:
        cookies = getattr(request, "COOKIES", {})
        begin_login(session, cookies.get(settings.SESSION_COOKIE_NAME))


def close_sockets(*, request: Any, user: Any, **kwargs: Any) -> None:
    """End the connections of a session that logs out, for they act as its user.

    Where it cannot be known which they are (the session is from before this app was installed, or
    ``channels.auth.logout`` does not tell), all of that user are ended, and may come again.
    """
    session = getattr(request, "session", None)
    logins = [] if session is None else logins_of(session)
    known = session is not None and knows_clients(session)
    whose = "" if known or user is None else user._meta.pk.value_to_string(user)
    if not logins and not whose:
        return
    try:
        on_all_hubs(lambda hub: hub.log_out(logins, whose))
    except ImproperlyConfigured:
        pass  # this process has no sockets and reaches no other process
    except ConnectionError as error:
        logger.error("the sockets of a session that has logged out may stay: %s", safe(error))
