"""The one place that reads ``settings.SOCKETIO``: defaults, validation, typed access.

Keys are the names of :class:`Settings` in capitals: Node's option names in Django's spelling, times
in seconds, sizes in bytes.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from http.cookies import CookieError, SimpleCookie
from typing import Any, cast

from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured
from django.core.serializers.json import DjangoJSONEncoder
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

from .engineio import SessionOptions
from .packets import Encoder, JSONCodec, Limits, default_codec

TRANSPORTS = ("polling", "websocket")

# Returns what is wrong with a value, as the end of the sentence "it must be …", or None.
Check = Callable[[Any], "str | None"]


def _number(minimum: float, inclusive: bool = False) -> Check:
    def check(value: Any) -> str | None:
        ok = (
            isinstance(value, (int, float))
            and not isinstance(value, bool)
            and math.isfinite(value)
            and (value >= minimum if inclusive else value > minimum)
        )
        return None if ok else f"a number {'of at least' if inclusive else 'above'} {minimum}"

    return check


def _integer(minimum: int) -> Check:
    def check(value: Any) -> str | None:
        ok = isinstance(value, int) and not isinstance(value, bool) and value >= minimum
        return None if ok else f"an integer of at least {minimum}"

    return check


def _boolean(value: Any) -> str | None:
    return None if isinstance(value, bool) else "True or False"


def _name(value: Any) -> str | None:
    return None if isinstance(value, str) and value else "the alias of a channel layer"


def _path(value: Any) -> str | None:
    ok = isinstance(value, str) and value.startswith("/") and not set(value) & set("?# ")
    return None if ok else 'a URL path that begins with "/", such as "/socket.io/"'


def _transports(value: Any) -> str | None:
    ok = (
        isinstance(value, (list, tuple))
        and value
        and all(isinstance(name, str) and name in TRANSPORTS for name in value)
    )
    return None if ok else 'a list of "polling" and "websocket", at least one of them'


def _origins(value: Any) -> str | None:
    if value == "*":
        return None
    if isinstance(value, (list, tuple)):
        wrong = [
            origin
            for origin in value
            if not isinstance(origin, str)
            or "://" not in origin
            or set(origin.split("://", 1)[1]) & set("/?#")
        ]
        if not wrong:
            return None
    return '"*" or a list of origins such as "https://example.com" (scheme and host, no path)'


def _cookie(value: Any) -> str | None:
    expected = (
        "None, True or a dict with some of NAME, PATH, DOMAIN, MAX_AGE, HTTPONLY, SECURE, SAMESITE"
    )
    if value is None or value is True or value is False:
        return None
    if not isinstance(value, dict):
        return expected
    try:
        attributes = _cookie_attributes(value)
        _bake(attributes, "x")
    except (CookieError, TypeError, ValueError, AttributeError):
        return expected + ", each of a form that a cookie can have"
    return None


def _compression(value: Any) -> str | None:
    if isinstance(value, bool):
        return None
    ok = isinstance(value, dict) and set(value) <= {"THRESHOLD"}
    if ok and _integer(0)(value.get("THRESHOLD", 1024)) is None:
        return None
    return 'True, False or {"THRESHOLD": bytes}'


def _codec(value: Any) -> str | None:
    if value is None:
        return None
    try:
        codec = import_string(value)()
        ok = callable(codec.dumps) and callable(codec.loads)
    except Exception:
        ok = False
    return None if ok else "None or the dotted path of a class with the methods dumps and loads"


def _interval(value: Any) -> str | None:
    wrong = None if value is None else _number(0, inclusive=True)(value)
    return wrong and wrong + ", or None"


def _admin_ui(value: Any) -> str | None:
    expected = (
        "None, True (staff only) or a dict with some of USERNAME and PASSWORD (a bcrypt hash or "
        "one of Django's, never the password itself), NAMESPACE, READONLY, MAX_FAILURES"
    )
    if value is None or isinstance(value, bool):
        return None
    if not isinstance(value, dict) or set(value) - {
        "USERNAME",
        "PASSWORD",
        "NAMESPACE",
        "READONLY",
        "MAX_FAILURES",
    }:
        return expected
    texts = [value[key] for key in ("USERNAME", "PASSWORD", "NAMESPACE") if key in value]
    password = value.get("PASSWORD", "$")
    if (
        not all(isinstance(text, str) and text for text in texts)
        or ("USERNAME" in value) != ("PASSWORD" in value)
        or "$" not in password
        or not str(value.get("NAMESPACE", "/admin")).startswith("/")
        or not isinstance(value.get("READONLY", False), bool)
        or _integer(1)(value.get("MAX_FAILURES", 1)) is not None
    ):
        return expected
    return None


def option(default: Any, check: Check, secret: bool = False) -> Any:
    """A setting with its default and its check. Values of a secret one are never shown."""
    metadata = {"check": check, "secret": secret}
    if isinstance(default, (list, dict)):
        return field(default_factory=default.copy, metadata=metadata)
    return field(default=default, metadata=metadata)


def _masked(value: Any) -> str:
    """What may be told of a secret value: its type, and the keys of a dict."""
    if not isinstance(value, dict):
        return f"<{type(value).__name__}>"
    return "{" + ", ".join(f"{key!r}: ***" for key in value) + "}"


@dataclass(frozen=True)
class Settings:
    """``settings.SOCKETIO``, complete with its defaults."""

    path: str = option("/socket.io/", _path)
    transports: list[str] = option(list(TRANSPORTS), _transports)
    allow_upgrades: bool = option(True, _boolean)
    # Times
    ack_timeout: float = option(60, _number(0))
    ping_interval: float = option(25, _number(0))
    ping_timeout: float = option(20, _number(0))
    upgrade_timeout: float = option(10, _number(0))
    connect_timeout: float = option(45, _number(0))
    attachments_timeout: float = option(60, _number(0))
    # HTTP
    cors_allowed_origins: list[str] | str = option([], _origins)
    cors_allow_credentials: bool = option(False, _boolean)
    cookie: dict[str, Any] | bool | None = option(None, _cookie)
    http_compression: bool | dict[str, int] = option(True, _compression)
    # Limits of what a client may do; each closes that client's session, and no other
    max_http_buffer_size: int = option(1_000_000, _integer(1))
    max_packets_per_payload: int = option(100_000, _integer(1))
    max_attachments: int = option(1000, _integer(0))
    max_attachments_size: int = option(10_000_000, _integer(0))
    max_nesting_depth: int = option(100, _integer(1))
    max_event_name_length: int = option(256, _integer(1))
    max_room_name_length: int = option(1024, _integer(1))
    max_namespaces: int = option(100, _integer(1))
    max_rooms: int = option(10_000, _integer(1))
    max_pending_acks: int = option(10_000, _integer(1))
    max_pending_events: int = option(10_000, _integer(1))
    max_pending_events_size: int = option(4_000_000, _integer(1))
    max_pending_sessions: int = option(10_000, _integer(1))
    max_write_buffer_size: int = option(16_000_000, _integer(1))
    # Other processes
    channel_layer: str = option("default", _name)
    heartbeat_interval: float = option(1, _number(0))
    heartbeat_timeout: float = option(4, _number(0))
    max_layer_buffer_size: int = option(16_000_000, _integer(1))
    # Statistics: how often they are written to the database (0 or None: never), how long kept
    stats_interval: float | None = option(10, _interval)
    stats_retention: float = option(8 * 86400, _number(0))
    stats_process_retention: float = option(86400, _number(0))
    # The official Admin UI
    admin_ui: bool | dict[str, Any] | None = option(None, _admin_ui, secret=True)
    # Inside
    json: str | None = option(None, _codec)
    worker_threads: int = option(32, _integer(1))

    @cached_property
    def upgrades(self) -> tuple[str, ...]:
        """What a polling session may upgrade to."""
        return ("websocket",) if self.allow_upgrades and "websocket" in self.transports else ()

    @cached_property
    def session_options(self) -> SessionOptions:
        """What the Engine.IO session needs."""
        return SessionOptions(
            ping_interval=self.ping_interval,
            ping_timeout=self.ping_timeout,
            upgrade_timeout=self.upgrade_timeout,
            max_payload=self.max_http_buffer_size,
            max_packets=self.max_packets_per_payload,
            max_write_buffer=self.max_write_buffer_size,
            upgrades=self.upgrades,
        )

    @cached_property
    def limits(self) -> Limits:
        """What the Socket.IO decoder needs."""
        return Limits(
            max_attachments=self.max_attachments,
            max_attachments_size=self.max_attachments_size,
            max_nesting_depth=self.max_nesting_depth,
            max_event_name_length=self.max_event_name_length,
        )

    @cached_property
    def codec(self) -> JSONCodec:
        """The JSON library in use."""
        return default_codec() if self.json is None else import_string(self.json)()

    @cached_property
    def encoder(self) -> Encoder:
        """Encodes packets; takes what Django's own JSON encoder takes."""
        return Encoder(self.codec, DjangoJSONEncoder().default)

    @cached_property
    def compression_threshold(self) -> int | None:
        """Size from which the answer to a poll is compressed, None for never."""
        if isinstance(self.http_compression, dict):
            return self.http_compression.get("THRESHOLD", 1024)
        return 1024 if self.http_compression else None

    def bake_cookie(self, sid: str) -> str | None:
        """The value of the handshake's Set-Cookie header, None where no cookie is wanted."""
        if not self.cookie:
            return None
        return _bake(_cookie_attributes({} if self.cookie is True else self.cookie), sid)


def _cookie_attributes(wanted: dict[str, Any]) -> dict[str, Any]:
    attributes = {"name": "io", "path": "/", "httponly": True, "samesite": "Lax"}
    for key, value in wanted.items():
        key = key.lower().replace("_", "")
        attributes["max-age" if key == "maxage" else key] = value
    return attributes


def _bake(attributes: dict[str, Any], sid: str) -> str:
    cookie: SimpleCookie = SimpleCookie()
    name = attributes["name"]
    cookie[name] = sid
    for key, value in attributes.items():
        if key != "name" and value is not None and value is not False:
            if isinstance(value, str) and (not value.isprintable() or set(value) & set(";,")):
                raise ValueError(f"invalid cookie attribute {key}")
            cookie[name][key] = value
    return cookie[name].OutputString()


@dataclass(frozen=True)
class Problem:
    """Something wrong in ``settings.SOCKETIO``: the key, what is wrong and how to mend it."""

    key: str
    message: str
    hint: str


def problems(raw: Any) -> Iterator[Problem]:
    """Everything that is wrong with a value of ``settings.SOCKETIO``."""
    if not isinstance(raw, dict):
        yield Problem(
            "SOCKETIO", "SOCKETIO must be a dict.", 'For example SOCKETIO = {"PING_INTERVAL": 25}.'
        )
        return
    fields = {item.name.upper(): item for item in dataclasses.fields(Settings)}
    for key, value in raw.items():
        if key not in fields:
            close = difflib.get_close_matches(str(key).upper(), fields, n=1)
            hint = (
                f'Did you mean "{close[0]}"?'
                if close
                else f"Known keys: {', '.join(sorted(fields))}."
            )
            yield Problem(str(key), f"SOCKETIO has an unknown key {key!r}.", hint)
            continue
        wrong = fields[key].metadata["check"](value)
        if wrong is not None:
            shown = _masked(value) if fields[key].metadata["secret"] else repr(value)
            yield Problem(
                key, f'SOCKETIO["{key}"] has a bad value: {shown}.', f"It must be {wrong}."
            )
    if raw.get("CORS_ALLOWED_ORIGINS") == "*" and raw.get("CORS_ALLOW_CREDENTIALS"):
        yield Problem(
            "CORS_ALLOW_CREDENTIALS",
            'SOCKETIO["CORS_ALLOW_CREDENTIALS"] cannot go with "*" in CORS_ALLOWED_ORIGINS.',
            "List the origins whose pages may use their visitors' cookies here.",
        )


_current: Settings | None = None


def get_settings() -> Settings:
    """The settings in force. Raises ImproperlyConfigured for what :func:`problems` finds."""
    global _current
    if _current is None:
        raw = getattr(django_settings, "SOCKETIO", {})
        for problem in problems(raw):
            raise ImproperlyConfigured(f"{problem.message} {problem.hint}")
        _current = Settings(**{key.lower(): value for key, value in cast(dict, raw).items()})
    return _current


def _forget(*, setting: str, **kwargs: Any) -> None:
    global _current
    if setting == "SOCKETIO":
        _current = None


setting_changed.connect(_forget, dispatch_uid="django_socketio.conf")
