"""Which pages may use the server: the table."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import override_settings

from django_socketio.conf import Settings
from django_socketio.transports.origins import is_allowed

HOSTS = ["example.com", ".wild.org"]


def allowed(origin: str, host: str = "example.com", cors: Any = (), **settings: Any) -> bool:
    defaults = {"ALLOWED_HOSTS": HOSTS, "DEBUG": False, "CSRF_TRUSTED_ORIGINS": []}
    with override_settings(**{**defaults, **settings}):
        return is_allowed(origin, host, Settings(cors_allowed_origins=cors))


@pytest.mark.parametrize(
    "origin",
    [
        "https://example.com",
        "http://example.com",
        "http://example.com:8000",
        "https://EXAMPLE.com",
        "https://wild.org",
        "https://sub.wild.org",
    ],
)
def test_the_project_s_own_hosts_are_allowed(origin: str) -> None:
    assert allowed(origin)
    assert allowed(origin, host="something.else")


@pytest.mark.parametrize(
    "origin",
    [
        *(
            "https://evil.com",
            "http://evil.com:8000",
            "null",
            "",
            "*",
            "example.com",
            "//example.com",
        ),
        *("https://example.com.evil.com", "https://evilexample.com", "https://sub.example.com"),
        *(
            "https://evil.com/example.com",
            "https://evil.com#example.com",
            "https://evil.com?wild.org",
        ),
        *("https://example.com@evil.com", "https://evilwild.org", "https://wild.org.evil.com"),
        *("https://", "https:", "https://:443", "https://evil.com:port", "https://[::1", "file://"),
        *("https://evil.com:99999", "data:text/html,x", "\x00", "https://evil.com\r\nx: y", "é"),
    ],
)
def test_foreign_and_broken_origins_are_refused(origin: str) -> None:
    assert not allowed(origin)
    assert not allowed(origin, host="other.example.com", cors=["https://example.net"])


def test_any_origin_where_any_is_wanted() -> None:
    for origin in ("https://evil.com", "null", "", "\x00"):
        assert allowed(origin, cors="*")


def test_a_list_allows_exactly_what_it_lists() -> None:
    cors = ["https://app.example.net", "http://localhost:3000", "null"]
    for origin in cors:
        assert allowed(origin, cors=cors)
    for origin in (
        *("http://app.example.net", "https://app.example.net:8443", "https://app.example.net/"),
        *("https://x.app.example.net", "http://localhost", "http://localhost:3001"),
    ):
        assert not allowed(origin, cors=cors)
    assert allowed("https://example.com", cors=cors)


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("https://shop.net", True),
        ("http://shop.net", False),
        ("https://shop.net:8443", False),
        ("https://a.trusted.net", True),
        ("https://a.b.trusted.net", True),
        ("http://a.trusted.net", False),
        ("https://eviltrusted.net", False),
        ("https://a.trusted.net.evil.com", False),
        ("https://a.trusted.net:8443", False),
        ("http://dev.net:3000", True),
        ("http://dev.net:3001", False),
    ],
)
def test_csrf_trusted_origins_are_allowed(origin: str, expected: bool) -> None:
    trusted = ["https://shop.net", "https://*.trusted.net", "http://dev.net:3000"]
    assert allowed(origin, CSRF_TRUSTED_ORIGINS=trusted) is expected


@pytest.mark.parametrize(
    ("origin", "host", "expected"),
    [
        ("https://site.com", "site.com", True),
        ("http://site.com", "site.com", True),
        ("http://site.com:80", "site.com", True),
        ("https://site.com:443", "site.com", True),
        ("http://site.com:8000", "site.com:8000", True),
        ("http://SITE.com:8000", "Site.COM:8000", True),
        ("http://[::1]:8000", "[::1]:8000", True),
        ("http://site.com:8001", "site.com:8000", False),
        ("http://site.com:8000", "site.com", False),
        ("http://site.com", "site.com:8000", False),
        ("https://evil.com", "site.com", False),
        ("https://evil.com", "", False),
        ("https://evil.com", "*", False),
        ("null", "null", False),
    ],
)
def test_the_request_s_own_origin_where_the_project_does_not_name_its_hosts(
    origin: str, host: str, expected: bool
) -> None:
    assert allowed(origin, host, ALLOWED_HOSTS=["*"]) is expected


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("http://localhost:8000", True),
        ("http://app.localhost:8000", True),
        ("http://127.0.0.1:3000", True),
        ("http://[::1]:8000", True),
        ("https://evil.com", False),
    ],
)
def test_debug_allows_what_django_s_debug_allows(origin: str, expected: bool) -> None:
    assert allowed(origin, "localhost:8000", DEBUG=True, ALLOWED_HOSTS=[]) is expected
    assert not allowed(origin, "localhost:8000", DEBUG=False, ALLOWED_HOSTS=[])
    assert not allowed("http://127.0.0.1:3000", "x", DEBUG=True, ALLOWED_HOSTS=["example.com"])
