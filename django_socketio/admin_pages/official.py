"""The server's side of the official Socket.IO Admin UI (the npm package @socket.io/admin-ui).

Off unless ``SOCKETIO["ADMIN_UI"]`` is set. Whoever enters is staff by Django's session, with the
admin's own permissions, or knows the user name and password of the setting.

This module is the namespace that such a page enters, and what it may do there;
:mod:`.official_feed` is what it is shown.
"""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib.auth.hashers import BCryptPasswordHasher, check_password
from django.core import signing
from django.utils.crypto import constant_time_compare, salted_hmac

from ..conf import get_settings
from ..exceptions import ConnectionRefused, EventRefused
from ..logs import logger, printable, safe
from ..packets import RESERVED_EVENTS
from ..server.consumers import SocketIOConsumer
from ..server.handlers import event
from ..server.operators import io
from .attempts import Attempts
from .official_feed import feed
from .rights import current_user, may_view, still_may_view

SALT = "django_socketio.admin_ui"
# A user name, a password or a token that is longer is wrong.
MAX_SECRET = 1000
# Seconds for which a page may come back without the password; as in the Node server.
SESSION_AGE = 86_400

FEATURES = {
    "EMIT": "send_events",
    "JOIN": "change_rooms",
    "LEAVE": "change_rooms",
    "MJOIN": "change_rooms",
    "MLEAVE": "change_rooms",
    "DISCONNECT": "disconnect_sockets",
    "MDISCONNECT": "disconnect_sockets",
}

password_attempts = Attempts()


def options() -> dict[str, Any]:
    """Return the setting ``ADMIN_UI``, complete with its defaults."""
    wanted = get_settings().admin_ui
    given = wanted if isinstance(wanted, dict) else {}
    return {
        "NAMESPACE": "/admin",
        "USERNAME": "",
        "PASSWORD": "",
        "READONLY": False,
        "MAX_FAILURES": 5,
        **given,
    }


class AdminUI(SocketIOConsumer):
    """A page of the official Admin UI."""

    typed = False

    def authenticate(self, auth: Any) -> Any:
        """Return the user, if it is staff with the permission or knows the password."""
        wanted, user = options(), current_user(self.user, self.session)
        self.token: str | None = None
        # Whether this is staff, who may lose that right, or knows the password.
        self.staff = may_view(user)
        if self.staff:
            self.name = user.get_username()
        elif self._knows_password(auth, wanted):
            self.name = wanted["USERNAME"]
        else:
            raise ConnectionRefused("invalid credentials")
        self.features = self._features(user)
        return user

    def is_entitled(self) -> bool:
        """Return whether this page may be open now. Called in a worker thread."""
        return not self.staff or still_may_view(self.user, self.session)

    def _features(self, user: Any) -> set[str]:
        if options()["READONLY"]:
            return set()
        return {
            feature
            for feature, permission in FEATURES.items()
            if not self.staff or user.has_perm(f"django_socketio.{permission}")
        }

    def _knows_password(self, auth: Any, wanted: dict[str, Any]) -> bool:
        if not wanted["USERNAME"] or not wanted["PASSWORD"] or not isinstance(auth, dict):
            return False
        token = _secret(auth, "sessionId")
        if token:
            try:
                stamp = signing.loads(token, salt=SALT, max_age=SESSION_AGE)
            except signing.BadSignature:
                stamp = ""
            if isinstance(stamp, str) and constant_time_compare(stamp, _stamp(wanted)):
                return True
        username, password = _secret(auth, "username"), _secret(auth, "password")
        if not username or not password:
            return False
        password_attempts.begin(self.handshake.address, wanted["MAX_FAILURES"])
        right = _is_right(password, wanted["PASSWORD"])
        if not (constant_time_compare(username, wanted["USERNAME"]) and right):
            logger.warning("admin UI: wrong user name or password for %s", safe(username))
            return False
        password_attempts.succeeded(self.handshake.address)
        self.token = signing.dumps(_stamp(wanted), salt=SALT)
        return True

    async def connect(self, auth: Any) -> None:
        # Without the feature ALL_EVENTS the page shows no sockets.
        self.emit(
            "config",
            {"supportedFeatures": [*sorted(self.features), "AGGREGATED_EVENTS", "ALL_EVENTS"]},
        )
        if self.token is not None:
            self.emit("session", self.token)
        await feed(self, self.is_entitled)

    @event("emit")
    def send_to_sockets(self, namespace: Any, room: Any, name: Any, *args: Any) -> None:
        """Send an event to a namespace, or to a room of it."""
        target = self._target("EMIT", namespace, room)
        if not isinstance(name, str) or name in RESERVED_EVENTS:
            raise EventRefused("admin UI: not an event")
        target.emit(name, *args)
        self._log(f"Sent event “{name[:100]}”.", namespace, room)

    @event("join")
    def make_sockets_join(self, namespace: Any, name: Any, room: Any = None) -> None:
        """Make sockets enter a room."""
        target = self._target("JOIN", namespace, room)
        target.sockets_join(_text(name))
        self._log(f"Joined room “{name[:100]}”.", namespace, room)

    @event("leave")
    def make_sockets_leave(self, namespace: Any, name: Any, room: Any = None) -> None:
        """Make sockets leave a room."""
        target = self._target("LEAVE", namespace, room)
        target.sockets_leave(_text(name))
        self._log(f"Left room “{name[:100]}”.", namespace, room)

    @event("_disconnect")
    def disconnect_sockets(self, namespace: Any, close: Any = False, room: Any = None) -> None:
        """Make sockets leave their namespace, or end their connections."""
        self._target("DISCONNECT", namespace, room).disconnect_sockets(close=bool(close))
        self._log("Disconnected.", namespace, room)

    def _target(self, feature: str, namespace: Any, room: Any) -> Any:
        if self.staff:
            user = current_user(self.user, self.session)
            if not may_view(user):
                self.close()
                raise EventRefused("admin UI: not allowed")
            self.features = self._features(user)
        if feature not in self.features:
            raise EventRefused("admin UI: not allowed")
        target = io.of(_text(namespace))
        return target.to(_text(room)) if room else target

    def _log(self, message: str, namespace: str, room: Any) -> None:
        where = f"{room or 'everybody'} of {namespace}"
        logger.info("admin UI: %s: %s %s", safe(self.name), safe(where), safe(message))
        if getattr(self.user, "pk", None) is not None and apps.is_installed("django.contrib.admin"):
            from .actions import write_entry

            write_entry(self.user, printable(where), printable(message))


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise EventRefused("admin UI: not a name")
    return value


def _secret(auth: dict[str, Any], key: str) -> str:
    """Return a text that the page has sent, "" for what can be none of ours.

    Hash functions do not take NUL, nor half a surrogate pair, which JavaScript's strings may have.
    """
    text = auth.get(key)
    if not isinstance(text, str) or len(text) > MAX_SECRET or "\0" in text:
        return ""
    return "" if any("\ud800" <= char <= "\udfff" for char in text) else text


def _stamp(wanted: dict[str, Any]) -> str:
    """Return the content of a page's token: no secret, and invalid once the password changes."""
    secret = wanted["USERNAME"] + "\0" + wanted["PASSWORD"]
    return salted_hmac(SALT, secret, algorithm="sha256").hexdigest()


def _is_right(password: str, encoded: str) -> bool:
    if encoded.startswith("$2"):  # a bcrypt hash, as in the Node server's setting
        try:
            return BCryptPasswordHasher().verify(password, "bcrypt$" + encoded)
        except ValueError:
            logger.error("the package bcrypt is not installed, or the hash in ADMIN_UI is none")
            return False
    return check_password(password, encoded)
