"""Decides by the ``Origin`` of a request which pages may use this server."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings as django_settings
from django.http.request import split_domain_port, validate_host

from ..conf import Settings

# Django's own check of the Host header allows these while DEBUG is on and ALLOWED_HOSTS is empty.
DEBUG_HOSTS = [".localhost", "127.0.0.1", "[::1]"]
DEFAULT_PORTS = {"http": 80, "https": 443}


def is_allowed(origin: str, host: str, settings: Settings) -> bool:
    """Return whether a page of ``origin`` may use this server; ``host`` is its Host header.

    Allowed are the origins in CORS_ALLOWED_ORIGINS and CSRF_TRUSTED_ORIGINS, origins whose host
    ALLOWED_HOSTS names, and, where ALLOWED_HOSTS has "*", the origin that equals ``host``.
    """
    listed = settings.cors_allowed_origins
    if listed == "*" or origin in listed:
        return True
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        return False
    if not parts.scheme or not parts.hostname:  # "null", a sandboxed page
        return False
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    hosts = list(django_settings.ALLOWED_HOSTS)
    if django_settings.DEBUG and not hosts:
        hosts = DEBUG_HOSTS
    if validate_host(name, [pattern for pattern in hosts if pattern != "*"]):
        return True
    if any(_matches(origin, pattern) for pattern in django_settings.CSRF_TRUSTED_ORIGINS):
        return True
    own_name, own_port = split_domain_port(host)
    return (
        validate_host(own_name, hosts)
        and own_name == name
        and (own_port or "")
        == ("" if port in (None, DEFAULT_PORTS.get(parts.scheme)) else str(port))
    )


def _matches(origin: str, pattern: str) -> bool:
    """Return whether an item of CSRF_TRUSTED_ORIGINS covers ``origin``; "*" is any subdomain."""
    if "*" not in pattern:
        return origin == pattern
    scheme, _, host = pattern.partition("://")
    return origin.startswith(scheme + "://") and validate_host(
        origin.partition("://")[2], [host.lstrip("*")]
    )
