"""Validators: each takes a setting's value and returns what it must be.

The result is the end of the sentence "It must be …", or None for a good value.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from http.cookies import CookieError
from importlib.util import find_spec
from ipaddress import ip_network
from typing import Any

from django.utils.module_loading import import_string

from .cookies import bake
from .recovery import NAMES

TRANSPORTS = ("polling", "websocket")
# What may be a header's name: https://www.rfc-editor.org/rfc/rfc9110#name-tokens
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")

Validator = Callable[[Any], "str | None"]


def number(minimum: float, inclusive: bool = False) -> Validator:
    """Return a validator for numbers above ``minimum``; ``inclusive`` allows it, too."""

    def check(value: Any) -> str | None:
        ok = (
            isinstance(value, (int, float))
            and not isinstance(value, bool)
            and math.isfinite(value)
            and (value >= minimum if inclusive else value > minimum)
        )
        return None if ok else f"a number {'of at least' if inclusive else 'above'} {minimum}"

    return check


def integer(minimum: int) -> Validator:
    """Return a validator for integers of at least ``minimum``."""

    def check(value: Any) -> str | None:
        ok = isinstance(value, int) and not isinstance(value, bool) and value >= minimum
        return None if ok else f"an integer of at least {minimum}"

    return check


def boolean(value: Any) -> str | None:
    return None if isinstance(value, bool) else "True or False"


def typed(value: Any) -> str | None:
    if value is True and find_spec("pydantic") is None:
        return 'False, or run "pip install channels-socketio[typed]"'
    return boolean(value)


def alias(value: Any) -> str | None:
    return None if isinstance(value, str) and value else "the alias of a channel layer"


def path(value: Any) -> str | None:
    ok = isinstance(value, str) and value.startswith("/") and not set(value) & set("?# ")
    return None if ok else 'a URL path that begins with "/", such as "/socket.io/"'


def transports(value: Any) -> str | None:
    ok = (
        isinstance(value, (list, tuple))
        and value
        and all(isinstance(name, str) and name in TRANSPORTS for name in value)
    )
    return None if ok else 'a list of "polling" and "websocket", at least one of them'


def origins(value: Any) -> str | None:
    if value == "*":
        return None
    if isinstance(value, (list, tuple)) and all(map(_is_origin, value)):
        return None
    return (
        '"*" or a list of origins such as "https://example.com" (scheme and host, no path), of '
        'patterns such as "https://*.example.com" and of compiled regular expressions'
    )


def _is_origin(item: Any) -> bool:
    if isinstance(item, re.Pattern):
        return isinstance(item.pattern, str)
    if not isinstance(item, str) or "://" not in item:
        return False
    host = item.split("://", 1)[1]
    return not set(host) & set("/?#") and "*" not in (host[1:] if host[:2] == "*." else host)


def function(value: Any) -> str | None:
    ok = value is None or callable(value)
    if isinstance(value, str):
        try:
            ok = callable(import_string(value))
        except Exception:
            ok = False
    return None if ok else "None, a function or its dotted path"


def header_names(value: Any) -> str | None:
    ok = isinstance(value, (list, tuple)) and all(
        isinstance(name, str) and _TOKEN.fullmatch(name) for name in value
    )
    return None if ok else 'a list of names of headers such as ["X-Request-ID"]'


def header_names_or_none(value: Any) -> str | None:
    wrong = None if value is None else header_names(value)
    return wrong and "None or " + wrong


def max_age(value: Any) -> str | None:
    wrong = None if value is None else integer(0)(value)
    return wrong and "None or " + wrong


def cookie(value: Any) -> str | None:
    expected = (
        "None, True or a dict with some of NAME, PATH, DOMAIN, MAX_AGE, EXPIRES (an aware "
        'datetime), HTTPONLY, SECURE, SAMESITE, PRIORITY ("low", "medium" or "high"), PARTITIONED'
    )
    if value is None or value is True or value is False:
        return None
    if not isinstance(value, dict):
        return expected
    try:
        bake(value, "x")
    except (CookieError, TypeError, ValueError, AttributeError):
        return expected + ", each of a form that a cookie can have"
    return None


def compression(value: Any) -> str | None:
    if isinstance(value, bool):
        return None
    ok = (
        isinstance(value, dict)
        and set(value) <= {"THRESHOLD", "LEVEL"}
        and not any(map(integer(0), value.values()))
        and value.get("LEVEL", 0) <= 9
    )
    return None if ok else "True, False or a dict with some of THRESHOLD (bytes) and LEVEL (0 to 9)"


def recovery(value: Any) -> str | None:
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, dict) and set(value) <= set(NAMES):
        wrong = [
            check(value[name])
            for name, check in zip(NAMES, [number(0), *[integer(1)] * 3], strict=True)
            if name in value
        ]
        if not any(wrong):
            return None
    duration, *bounds = NAMES
    return (
        f"None, True or a dict with some of {duration} (seconds, above 0) and "
        f"{', '.join(bounds)} (integers of at least 1)"
    )


def proxies(value: Any) -> str | None:
    if isinstance(value, (list, tuple)):
        ok = all(isinstance(text, str) for text in value)
        try:
            [ip_network(text) for text in value]
        except ValueError:
            ok = False
    else:
        ok = integer(0)(value) is None
    return None if ok else 'a number of proxies or a list of networks such as "10.0.0.0/8"'


def codec(value: Any) -> str | None:
    if value is None:
        return None
    try:
        codec = import_string(value)()
        ok = callable(codec.dumps) and callable(codec.loads)
    except Exception:
        ok = False
    return None if ok else "None or the dotted path of a class with the methods dumps and loads"


def parser(value: Any) -> str | None:
    if value == "default":
        return None
    if value == "msgpack":
        missing = find_spec("msgpack") is None
        return 'another one, or run "pip install channels-socketio[msgpack]"' if missing else None
    try:
        parser = import_string(value)()
        ok = callable(parser.encode) and callable(parser.decoder)
    except Exception:
        ok = False
    expected = (
        '"default", "msgpack" or the dotted path of a class with the methods encode and decoder'
    )
    return None if ok else expected


def interval(value: Any) -> str | None:
    wrong = None if value is None else number(0, inclusive=True)(value)
    return wrong and wrong + ", or None"


def redis_emitter(value: Any) -> str | None:
    expected = (
        'None, True (the Redis of the channel layer) or a dict with some of KEY ("socket.io") and '
        'URL, such as "redis://localhost:6379/0"'
    )
    if value is None or value is False:
        return None
    if value is not True and not (
        isinstance(value, dict)
        and set(value) <= {"KEY", "URL"}
        and all(isinstance(text, str) and text for text in value.values())
    ):
        return expected
    if find_spec("channels_redis") is None or find_spec("msgpack") is None:
        return 'None, or run "pip install channels-socketio[redis]"'
    return None


def admin_ui(value: Any) -> str | None:
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
        or integer(1)(value.get("MAX_FAILURES", 1)) is not None
    ):
        return expected
    return None
