"""Decides by the ``Origin`` of a request which pages may use this server, and as whom."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings as django_settings
from django.http.request import split_domain_port, validate_host

from ..conf import Settings

# Django's own check of the Host header allows these while DEBUG is on and ALLOWED_HOSTS is empty.
DEBUG_HOSTS = [".localhost", "127.0.0.1", "[::1]"]
DEFAULT_PORTS = {"http": "80", "https": "443"}
# An origin and a host that are longer together are not looked at: names of hosts have 253 letters.
LONGEST = 600


class Access(Enum):
    """What the pages of an origin may do."""

    REFUSED = "refused"
    # They may connect, but what their browser sends along by itself is not looked at.
    ANONYMOUS = "anonymous"
    # They may use their visitor's cookies here.
    FULL = "full"


def access_of(origin: str, host: str, secure: bool, settings: Settings) -> Access:
    """Return what the pages of ``origin`` may do.

    ``host`` is the request's Host header, ``secure`` says that it is known to have come over TLS.
    A page of ours has full access, see :func:`_is_own`, and so has one that CSRF_TRUSTED_ORIGINS
    names. One that CORS_ALLOWED_ORIGINS names has it with CORS_ALLOW_CREDENTIALS.
    """
    hosts, trusted = django_settings.ALLOWED_HOSTS, django_settings.CSRF_TRUSTED_ORIGINS
    if django_settings.DEBUG and not hosts:
        hosts = DEBUG_HOSTS
    if len(origin) + len(host) <= LONGEST and _is_ours(
        origin, host, secure, tuple(hosts), tuple(trusted)
    ):
        return Access.FULL
    listed = settings.cors_allowed_origins
    if listed == "*" or origin in listed or _fits(origin, settings.origin_patterns):
        return Access.FULL if settings.cors_allow_credentials else Access.ANONYMOUS
    return Access.REFUSED


def is_secure(scope: dict[str, Any], headers: Mapping[bytes, bytes]) -> bool:
    """Return whether a request is known to have come over TLS, as ``request.is_secure()`` does."""
    setting = django_settings.SECURE_PROXY_SSL_HEADER
    if setting:
        name, wanted = setting
        value = headers.get(name.removeprefix("HTTP_").replace("_", "-").lower().encode())
        if value is not None:
            return value.decode("latin-1").split(",", 1)[0].strip() == wanted
    return scope.get("scheme") in ("https", "wss")


def without_cookies(scope: dict[str, Any]) -> dict[str, Any]:
    """Return a scope without what a browser sends along by itself, and what was made of it.

    On a WebSocket a page cannot set ``Authorization``, so it is the browser's, too.
    """
    own = {b"cookie", b"authorization"} if scope["type"] == "websocket" else {b"cookie"}
    bare = {key: value for key, value in scope.items() if key not in ("cookies", "session")}
    bare["headers"] = [pair for pair in scope["headers"] if pair[0] not in own]
    if "session" in scope:
        bare.pop("user", None)  # a middleware around us has found it by the cookie
    return bare


@lru_cache(maxsize=256)
def _fits(origin: str, patterns: tuple[re.Pattern[str], ...]) -> bool:
    return len(origin) <= LONGEST and any(pattern.fullmatch(origin) for pattern in patterns)


@lru_cache(maxsize=256)  # each poll of a browser asks
def _is_ours(
    origin: str, host: str, secure: bool, hosts: tuple[str, ...], trusted: tuple[str, ...]
) -> bool:
    return _is_own(origin, host, secure, hosts) or any(
        _matches(origin, pattern) for pattern in trusted
    )


def _is_own(origin: str, host: str, secure: bool, hosts: tuple[str, ...]) -> bool:
    """Return whether an origin is this site's, by the rule of Django's CSRF check.

    Its host is the request's own, or one that ALLOWED_HOSTS names; its port is the request's own,
    or where ALLOWED_HOSTS names the host, the scheme's default. Its scheme is https if the request
    came over TLS; if it did not, a proxy may have ended TLS, so https is as good as http.
    """
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        return False
    scheme = parts.scheme
    if scheme not in DEFAULT_PORTS or (secure and scheme == "http") or not parts.hostname:
        return False
    default = DEFAULT_PORTS[scheme]
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    written = default if port is None else str(port)
    own_name, own_port = split_domain_port(host)
    own = written == (own_port or default)
    if validate_host(name, [pattern for pattern in hosts if pattern != "*"]):
        return own or written == default
    return own and own_name == name and validate_host(own_name, hosts)


def _matches(origin: str, pattern: str) -> bool:
    """Return whether an item of CSRF_TRUSTED_ORIGINS covers ``origin``; "*" is any subdomain."""
    if "*" not in pattern:
        return origin == pattern
    scheme, _, host = pattern.partition("://")
    return origin.startswith(scheme + "://") and validate_host(
        origin.partition("://")[2], [host.lstrip("*")]
    )
