"""Which pages may use the server, and as whom: the table."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import override_settings

from django_socketio.conf import Settings
from django_socketio.transports.origins import (
    LONGEST,
    Access,
    access_of,
    is_secure,
    without_cookies,
)

HOSTS = ["example.com", ".wild.org"]


def access(
    origin: str,
    host: str = "example.com",
    cors: Any = (),
    credentials: bool = False,
    secure: bool = False,
    **settings: Any,
) -> Access:
    defaults = {"ALLOWED_HOSTS": HOSTS, "DEBUG": False, "CSRF_TRUSTED_ORIGINS": []}
    ours = Settings(cors_allowed_origins=cors, cors_allow_credentials=credentials)
    with override_settings(**{**defaults, **settings}):
        return access_of(origin, host, secure, ours)


def allowed(*args: Any, **options: Any) -> bool:
    return access(*args, **options) is not Access.REFUSED


@pytest.mark.parametrize(
    "origin",
    [
        "https://example.com",
        "http://example.com",
        "http://example.com:80",
        "https://example.com:443",
        "https://EXAMPLE.com",
        "https://wild.org",
        "https://sub.wild.org",
    ],
)
def test_the_project_s_own_hosts_are_allowed(origin: str) -> None:
    for host in ("example.com", "something.else", "example.com:8000", ""):
        assert access(origin, host) is Access.FULL


@pytest.mark.parametrize(
    ("origin", "host", "expected"),
    [
        ("http://example.com:8000", "example.com:8000", True),
        ("https://example.com:8000", "example.com:8000", True),
        ("http://sub.wild.org:8000", "example.com:8000", True),
        ("http://example.com:8000", "example.com", False),
        ("http://example.com:8000", "example.com:8001", False),
        ("http://example.com:443", "example.com", False),
        ("https://example.com:80", "example.com", False),
        ("http://example.com:0", "example.com", False),
    ],
)
def test_another_port_of_our_host_is_another_origin(origin: str, host: str, expected: bool) -> None:
    assert allowed(origin, host) is expected


@pytest.mark.parametrize(
    "scheme", ["ftp", "file", "ws", "wss", "chrome-extension", "javascript", "httpss", "HTTPS"]
)
def test_only_pages_of_the_web_are_ours(scheme: str) -> None:
    for hosts in (HOSTS, ["*"]):
        # urlsplit() lowers a scheme; browsers write it so anyway.
        expected = scheme.lower() == "https"
        assert allowed(f"{scheme}://example.com", ALLOWED_HOSTS=hosts) is expected
        assert allowed(f"{scheme}://example.com:80", "example.com:80", ALLOWED_HOSTS=hosts) is (
            expected
        )


@pytest.mark.parametrize("hosts", [HOSTS, ["*"]])
def test_a_page_that_came_in_the_clear_is_not_ours_over_tls(hosts: list[str]) -> None:
    """Who sits on the line can write such a page."""
    assert not allowed("http://example.com", secure=True, ALLOWED_HOSTS=hosts)
    assert allowed("https://example.com", secure=True, ALLOWED_HOSTS=hosts)
    # A proxy that ends TLS may not say so.
    assert allowed("https://example.com", secure=False, ALLOWED_HOSTS=hosts)
    listed = ["http://example.com"]
    assert allowed("http://example.com", secure=True, cors=listed)
    assert allowed("http://example.com", secure=True, CSRF_TRUSTED_ORIGINS=listed)


@pytest.mark.parametrize(
    ("setting", "scheme", "value", "expected"),
    [
        (None, "http", "https", False),
        (None, "wss", "", True),
        (("HTTP_X_FORWARDED_PROTO", "https"), "ws", "https", True),
        (("HTTP_X_FORWARDED_PROTO", "https"), "ws", "https, http", True),
        (("HTTP_X_FORWARDED_PROTO", "https"), "https", "http", False),
        (("HTTP_X_FORWARDED_PROTO", "https"), "https", "", True),
    ],
)
def test_tls_is_where_django_sees_it(setting: Any, scheme: str, value: str, expected: bool) -> None:
    headers = {b"x-forwarded-proto": value.encode()} if value else {}
    with override_settings(SECURE_PROXY_SSL_HEADER=setting):
        assert is_secure({"scheme": scheme}, headers) is expected


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
        assert access(origin, cors="*") is Access.ANONYMOUS
    assert access("https://example.com", cors="*") is Access.FULL


@pytest.mark.parametrize("credentials", [True, False])
def test_who_may_use_cookies(credentials: bool) -> None:
    listed = Access.FULL if credentials else Access.ANONYMOUS
    trusted = ["https://shop.net", "https://*.trusted.net"]
    for origin, expected in (
        ("https://app.net", listed),
        ("https://example.com", Access.FULL),
        ("https://shop.net", Access.FULL),
        ("https://a.trusted.net", Access.FULL),
        ("https://evil.com", Access.REFUSED),
    ):
        assert (
            access(
                origin,
                cors=["https://app.net", "https://shop.net"],
                credentials=credentials,
                CSRF_TRUSTED_ORIGINS=trusted,
            )
            is expected
        )


def test_what_a_page_without_cookies_cannot_use() -> None:
    headers = [
        (b"host", b"x"),
        (b"cookie", b"a=b"),
        (b"authorization", b"Basic x"),
        (b"cookie", b"c=d"),
    ]
    scope = {"type": "websocket", "headers": headers, "user": "token's", "path": "/"}
    assert without_cookies(scope) == {**scope, "headers": headers[:1]}
    # Over HTTP a page writes this header itself: the browser asks us before it may.
    request = {**scope, "type": "http"}
    assert without_cookies(request)["headers"] == [headers[0], headers[2]]
    around = {**scope, "cookies": {"a": "b"}, "session": "the cookie's"}
    assert without_cookies(around) == {
        "type": "websocket",
        "headers": headers[:1],
        "path": "/",
    }
    assert scope["headers"] is headers


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
        ("http://127.0.0.1:3000", False),
        ("http://localhost:5173", False),
        ("http://[::1]:8000", True),
        ("https://evil.com", False),
    ],
)
def test_debug_allows_what_django_s_debug_allows(origin: str, expected: bool) -> None:
    assert allowed(origin, "localhost:8000", DEBUG=True, ALLOWED_HOSTS=[]) is expected
    assert not allowed(origin, "localhost:8000", DEBUG=False, ALLOWED_HOSTS=[])
    assert not allowed("http://127.0.0.1:3000", "x", DEBUG=True, ALLOWED_HOSTS=["example.com"])


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("https://a.example.org", True),
        ("https://a.b.example.org", True),
        ("https://a-1_x.example.org", True),
        ("https://example.org", False),
        ("https://.example.org", False),
        ("https://a..example.org", False),
        ("https://evilexample.org", False),
        ("https://a.example.org.evil.com", False),
        ("https://a.exampleXorg", False),
        ("https://evil.com/.example.org", False),
        ("https://evil.com#.example.org", False),
        ("https://evil.com:8000.example.org", False),
        ("https://user@a.example.org", False),
        ("https://a.example.org\n", False),
        ("https://a.example.org:8443", False),
        ("http://a.example.org", False),
        ("http://a.port.org:8000", True),
        ("http://a.port.org", False),
        ("https://tenant7.net", True),
        ("https://tenant7.net.evil.com", False),
        ("xhttps://tenant7.net", False),
        ("null", False),
    ],
)
def test_patterns_of_origins(origin: str, expected: bool) -> None:
    listed = ["https://*.example.org", "http://*.port.org:8000", re.compile(r"https://\w+\.net")]
    assert allowed(origin, cors=listed) is expected
    wanted = Access.FULL if expected else Access.REFUSED
    assert access(origin, cors=listed, credentials=True) is wanted


def test_an_expression_sees_no_long_origin() -> None:
    pattern = re.compile("https://x+")
    assert allowed("https://" + "x" * (LONGEST - 8), cors=[pattern])
    assert not allowed("https://" + "x" * (LONGEST - 7), cors=[pattern])
