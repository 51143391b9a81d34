"""``settings.SOCKETIO``: defaults, bad values, and what is made of them."""

from __future__ import annotations

import dataclasses
import re
from datetime import datetime, timedelta, timezone
from http.cookies import SimpleCookie
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings
from django.utils.http import http_date

from django_socketio.conf import Settings, get_settings, layer_problems, problems
from django_socketio.engineio import SessionOptions
from django_socketio.packets import (
    LARGE,
    CheckedDecoder,
    Decoder,
    Limits,
    MsgpackParser,
    OrjsonCodec,
    StandardCodec,
)
from tests.project.parsers import JSONParser

DEFAULTS: dict[str, Any] = {
    "PATH": "/socket.io/",
    "TRANSPORTS": ["polling", "websocket"],
    "ALLOW_UPGRADES": True,
    "ACK_TIMEOUT": 60,
    "PRESENCE": False,
    "PRESENCE_GRACE": 5,
    "PING_INTERVAL": 25,
    "PING_TIMEOUT": 20,
    "UPGRADE_TIMEOUT": 10,
    "CONNECT_TIMEOUT": 45,
    "ATTACHMENTS_TIMEOUT": 60,
    "CORS_ALLOWED_ORIGINS": [],
    "ALLOW_REQUEST": None,
    "CORS_ALLOW_CREDENTIALS": False,
    "CORS_ALLOWED_HEADERS": None,
    "CORS_EXPOSED_HEADERS": [],
    "CORS_MAX_AGE": None,
    "COOKIE": None,
    "HTTP_COMPRESSION": True,
    "CONNECTION_STATE_RECOVERY": None,
    "TRUSTED_PROXIES": 0,
    "MAX_HTTP_BUFFER_SIZE": 1_000_000,
    "MAX_PACKETS_PER_PAYLOAD": 100_000,
    "MAX_ATTACHMENTS": 1000,
    "MAX_ATTACHMENTS_SIZE": 10_000_000,
    "MAX_NESTING_DEPTH": 100,
    "MAX_EVENT_NAME_LENGTH": 256,
    "MAX_NAMESPACE_LENGTH": 256,
    "MAX_ROOM_NAME_LENGTH": 1024,
    "MAX_NAMESPACES": 100,
    "MAX_ROOMS": 10_000,
    "MAX_PENDING_ACKS": 10_000,
    "MAX_PENDING_EVENTS": 10_000,
    "MAX_PENDING_EVENTS_SIZE": 4_000_000,
    "MAX_REFUSALS": 100,
    "MAX_PENDING_SESSIONS": 10_000,
    "MAX_PENDING_SESSIONS_PER_ADDRESS": 5000,
    "MAX_HANDSHAKES_PER_ADDRESS": 2000,
    "MAX_REFUSALS_PER_ADDRESS": 100,
    "MAX_WRITE_BUFFER_SIZE": 16_000_000,
    "JSON": None,
    "PARSER": "default",
    "WORKER_THREADS": 32,
    "HOOK_THREADS": 16,
    "MAX_THREADS_PER_CLIENT": 4,
    "MAX_WAITING_THREADS": 128,
}

AWARE = datetime(2030, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=1)))

BAD: dict[str, list[Any]] = {
    "PATH": ["", "socket.io/", None, 5, "/a?b", "/a#b", "/a b", ["/a"]],
    "TRANSPORTS": [
        [],
        None,
        "polling",
        ["websockets"],
        [None],
        ["polling", "webtransport"],
        {"polling"},
    ],
    "ALLOW_UPGRADES": [None, 1, "yes"],
    "ACK_TIMEOUT": [0, -1, None, "60", True, float("nan"), float("inf")],
    "PING_INTERVAL": [0, -1, None, "25", True, float("nan"), float("inf")],
    "PING_TIMEOUT": [0, None, "20", False],
    "UPGRADE_TIMEOUT": [0, None, "10"],
    "CONNECT_TIMEOUT": [0, None, "45"],
    "ATTACHMENTS_TIMEOUT": [0, None, "60"],
    "CORS_ALLOWED_ORIGINS": [
        *(None, "https://example.com", ["*"], ["example.com"], [5], ["https://example.com/"]),
        *(["https://example.com/path"], ["https://a.com", "b.com"], {"*"}),
        ["https://example.com?x"],
        *(["https://a.*.com"], ["https://*"], ["https://*example.com"], ["https://*.*.com"]),
        *(["*.example.com"], [re.compile(b"https://a")], re.compile("https://a")),
    ],
    "CORS_ALLOW_CREDENTIALS": [None, 1, "no"],
    "COOKIE": [
        *(
            1,
            "io",
            ["io"],
            {"NAME": "a b"},
            {"NAME": ""},
            {"NAME": 5},
            {"NAME": "a;b"},
            {"NAME": "é"},
        ),
        *({"EXPIRES": AWARE.replace(tzinfo=None)}, {"EXPIRES": 60}, {"EXPIRES": "tomorrow"}),
        *({"EXPIRES": "Thu, 01 Jan 2026 00:00:00 GMT; Secure"}, {"PRIORITY": "highest"}),
        *(
            {"PRIORITY": 1},
            {"PRIORITY": "High; Secure"},
            {"PARTITIONED": "yes"},
            {"PARTITIONED": 1},
        ),
        *({"NONSENSE": 1}, {"PATH": "/;x"}, {"DOMAIN": "a\r\nb"}, {1: 2}, {"NAME": None}),
    ],
    "CONNECTION_STATE_RECOVERY": [
        *(1, "yes", [], {"SKIP_MIDDLEWARES": True}, {1: 2}),
        {"MAX_DISCONNECTION_DURATION": 0},
        *({"MAX_SESSIONS": 0}, {"MAX_SESSION_SIZE": 1.5}, {"MAX_TOTAL_SIZE": True}),
    ],
    "HTTP_COMPRESSION": [
        None,
        1,
        1024,
        {"LEVEL": 10},
        {"THRESHOLD": -1},
        {"THRESHOLD": "1"},
        *({"LEVEL": -1}, {"LEVEL": True}, {"LEVEL": "6"}, {"LEVEL": None}, {"WINDOW": 15}),
    ],
    "ALLOW_REQUEST": [True, 5, "no.such.function", "django_socketio.conf.settings", "", ["x"]],
    "CORS_ALLOWED_HEADERS": ["x-token", ["a b"], ["a,b"], [5], [""], ["x\r\ny"], {"x"}],
    "CORS_EXPOSED_HEADERS": [None, "x-token", ["a b"], ["a:b"], [5], [""], ["é"]],
    "PRESENCE": [1, None],
    "PRESENCE_GRACE": [0, "5"],
    "CORS_MAX_AGE": [-1, 1.5, "600", True],
    "TRUSTED_PROXIES": [-1, True, None, "10.0.0.1", [10], ["proxy"], ["10.0.0.1/8"], {"10.0.0.1"}],
    "PARSER": [
        *(None, 5, "", "json", "no.such.module", "json.dumps"),
        "django_socketio.packets.StandardCodec",
    ],
    "JSON": [5, "json", "no.such.module", "json.dumps", "collections.OrderedDict", ""],
    **{
        key: [-1, 1.5, None, "5", True]
        for key in DEFAULTS
        if key.startswith("MAX_") or key.endswith("_THREADS")
    },
}

GOOD: dict[str, list[Any]] = {
    "PATH": ["/", "/ws/live", "/socket.io"],
    "TRANSPORTS": [["polling"], ("websocket",), ["websocket", "polling"]],
    "PING_INTERVAL": [0.1, 3600],
    "CORS_ALLOWED_ORIGINS": [
        *("*", [], ["https://example.com"], ("http://localhost:3000", "https://[::1]:8000")),
        ["capacitor://localhost", "file://"],  # what apps on phones send
        ["https://*.example.com", "http://*.localhost:8000", re.compile(r"https://\w+\.org")],
    ],
    "COOKIE": [None, True, False, {}, {"NAME": "sid"}, {"MAX_AGE": 10}, {"DOMAIN": None}],
    "CONNECTION_STATE_RECOVERY": [
        *(None, True, False, {}, {"MAX_DISCONNECTION_DURATION": 0.5}),
        {"MAX_SESSIONS": 1, "MAX_SESSION_SIZE": 1, "MAX_TOTAL_SIZE": 1},
    ],
    "HTTP_COMPRESSION": [True, False, {}, {"THRESHOLD": 0}, {"LEVEL": 0}, {"LEVEL": 9}],
    "ALLOW_REQUEST": [None, print, "django_socketio.conf.get_settings"],
    "CORS_ALLOWED_HEADERS": [None, [], ["x-token"], ("X-Token", "content-type")],
    "CORS_EXPOSED_HEADERS": [[], ["X-One", "x-two"], ("*",)],
    "CORS_MAX_AGE": [None, 0, 86400],
    "TRUSTED_PROXIES": [0, 2, [], ["10.0.0.0/8", "::1"], ("192.0.2.1",)],
    "PARSER": ["default", "msgpack", "tests.project.parsers.JSONParser"],
    "JSON": [None, "django_socketio.packets.StandardCodec", "django_socketio.packets.OrjsonCodec"],
    "MAX_ATTACHMENTS": [0],
    "MAX_ATTACHMENTS_SIZE": [0],
}


@pytest.mark.parametrize("key", DEFAULTS)
def test_a_default(key: str) -> None:
    assert getattr(Settings(), key.lower()) == DEFAULTS[key]
    assert list(problems({key: DEFAULTS[key]})) == []


def test_every_default_passes_its_own_check() -> None:
    fields = {field.name.upper() for field in dataclasses.fields(Settings)}
    assert set(DEFAULTS) <= fields
    defaults = {key: getattr(Settings(), key.lower()) for key in fields}
    assert list(problems(defaults)) == []


def test_defaults_are_not_shared() -> None:
    Settings().transports.clear()
    assert Settings().transports == ["polling", "websocket"]


@pytest.mark.parametrize(("key", "value"), [(key, value) for key in BAD for value in BAD[key]])
def test_a_bad_value_is_named_with_its_key_and_the_way_to_mend_it(key: str, value: Any) -> None:
    (problem,) = problems({key: value})
    assert problem.key == key
    assert f'SOCKETIO["{key}"]' in problem.message
    assert repr(value) in problem.message
    assert problem.hint.startswith("It must be ")


@pytest.mark.parametrize(("key", "value"), [(key, value) for key in GOOD for value in GOOD[key]])
def test_a_good_value(key: str, value: Any) -> None:
    assert list(problems({key: value})) == []
    with override_settings(SOCKETIO={key: value}):
        assert getattr(get_settings(), key.lower()) == value


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("PING_INTERVALL", "PING_INTERVAL"),
        ("CORS_ORIGINS", "CORS_ALLOWED_ORIGINS"),
        ("MAX_HTTP_BUFFER", "MAX_HTTP_BUFFER_SIZE"),
        ("ping_interval", "PING_INTERVAL"),
        ("pingTimeout", "PING_TIMEOUT"),
        ("maxHttpBufferSize", "MAX_HTTP_BUFFER_SIZE"),
    ],
)
def test_an_unknown_key_gets_a_suggestion(key: str, meant: str) -> None:
    (problem,) = problems({key: 1})
    assert problem.key == key
    assert repr(key) in problem.message
    assert problem.hint == f'Did you mean "{meant}"?'


@pytest.mark.parametrize("key", ["SOMETHING_ELSE_ALTOGETHER", "", 5, None])
def test_an_unknown_key_without_a_suggestion_gets_the_list(key: Any) -> None:
    (problem,) = problems({key: 1})
    assert "unknown key" in problem.message
    assert all(known in problem.hint for known in DEFAULTS)


@pytest.mark.parametrize("raw", [None, [], "x", 5])
def test_the_setting_is_a_dict(raw: Any) -> None:
    (problem,) = problems(raw)
    assert problem.key == "SOCKETIO"
    with override_settings(SOCKETIO=raw), pytest.raises(ImproperlyConfigured, match="a dict"):
        get_settings()


def test_everything_that_is_wrong_is_found() -> None:
    found = problems({"PING_INTERVAL": 0, "NONSENSE": 1, "PATH": "x", "ACK_TIMEOUT": 5})
    assert sorted(problem.key for problem in found) == ["NONSENSE", "PATH", "PING_INTERVAL"]


def test_any_origin_never_goes_with_credentials() -> None:
    raw = {"CORS_ALLOWED_ORIGINS": "*", "CORS_ALLOW_CREDENTIALS": True}
    (problem,) = problems(raw)
    assert problem.key == "CORS_ALLOW_CREDENTIALS"
    with override_settings(SOCKETIO=raw), pytest.raises(ImproperlyConfigured, match=r"\*"):
        get_settings()
    listed = {"CORS_ALLOWED_ORIGINS": ["https://a.com"], "CORS_ALLOW_CREDENTIALS": True}
    assert list(problems(listed)) == []
    assert list(problems({"CORS_ALLOWED_ORIGINS": "*"})) == []


def test_settings_are_read_once_and_again_when_they_change() -> None:
    before = get_settings()
    assert get_settings() is before
    with override_settings(SOCKETIO={"PING_INTERVAL": 3}):
        assert get_settings().ping_interval == 3
    bad = override_settings(SOCKETIO={"PING_INTERVAL": 0})
    with bad, pytest.raises(ImproperlyConfigured, match=r'"PING_INTERVAL".*above 0'):
        get_settings()
    assert get_settings() == before
    with override_settings(USE_TZ=False):
        assert get_settings() is get_settings()


LAYER = {"BACKEND": "channels.layers.InMemoryChannelLayer"}


@pytest.mark.parametrize(
    ("socketio", "layers"),
    [
        ({}, {}),
        ({"CHANNEL_LAYER": "default"}, {}),
        ({}, {"default": LAYER}),
        ({"CHANNEL_LAYER": "chat"}, {"default": LAYER, "chat": LAYER}),
    ],
)
def test_a_known_channel_layer(socketio: dict[str, Any], layers: dict[str, Any]) -> None:
    assert list(layer_problems(socketio, layers)) == []
    with override_settings(SOCKETIO=socketio, CHANNEL_LAYERS=layers):
        get_settings()


@pytest.mark.parametrize(
    ("socketio", "layers", "alias", "known"),
    [
        ({"CHANNEL_LAYER": "chat"}, {}, "'chat'", "none"),
        ({"CHANNEL_LAYER": "chat"}, {"default": LAYER}, "'chat'", "'default'"),
        ({}, {"one": LAYER, "two": LAYER}, "'default'", "'one', 'two'"),
    ],
)
def test_an_unknown_channel_layer(
    socketio: dict[str, Any], layers: dict[str, Any], alias: str, known: str
) -> None:
    (problem,) = layer_problems(socketio, layers)
    assert problem.key == "CHANNEL_LAYER"
    assert alias in problem.message
    assert f"Known aliases: {known}." in problem.hint
    assert f"Add {alias} to CHANNEL_LAYERS" in problem.hint
    get_settings()
    bad = override_settings(SOCKETIO=socketio, CHANNEL_LAYERS=layers)
    with bad, pytest.raises(ImproperlyConfigured) as error:
        get_settings()
    assert str(error.value) == f"{problem.message} {problem.hint}"


REDIS = {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer"}
URL = "redis://:secret@localhost/0"


@pytest.mark.parametrize("value", [1, "redis://localhost", {"URL": ""}, {"KEY": 1}, {"HOST": "x"}])
def test_a_bad_emitter(value: Any) -> None:
    (problem,) = problems({"REDIS_EMITTER": value})
    assert problem.hint.startswith("It must be None, True ")


def test_an_emitter_needs_a_redis() -> None:
    for value in (True, {"KEY": "x"}):
        (problem,) = layer_problems({"REDIS_EMITTER": value}, {"default": LAYER})
        assert problem.key == "REDIS_EMITTER"
        assert list(layer_problems({"REDIS_EMITTER": value}, {"default": REDIS})) == []
    assert list(layer_problems({"REDIS_EMITTER": {"URL": URL}}, {})) == []
    assert list(problems({"REDIS_EMITTER": {"URL": URL, "KEY": "x"}})) == []


def test_a_secret_is_not_shown() -> None:
    assert "secret" not in repr(Settings(redis_emitter={"URL": URL}))
    assert "bcrypt" not in repr(Settings(admin_ui={"USERNAME": "ada", "PASSWORD": "$bcrypt"}))


# What is made of them


def test_the_session_s_options() -> None:
    settings = Settings(
        ping_interval=1,
        ping_timeout=2,
        upgrade_timeout=3,
        max_http_buffer_size=4,
        max_packets_per_payload=5,
        max_write_buffer_size=6,
    )
    assert settings.session_options == SessionOptions(
        ping_interval=1,
        ping_timeout=2,
        upgrade_timeout=3,
        max_payload=4,
        max_packets=5,
        max_write_buffer=6,
        upgrades=("websocket",),
    )
    assert settings.session_options is settings.session_options


@pytest.mark.parametrize(
    ("options", "upgrades"),
    [
        ({}, ("websocket",)),
        ({"allow_upgrades": False}, ()),
        ({"transports": ["polling"]}, ()),
        ({"transports": ["websocket", "polling"]}, ("websocket",)),
    ],
)
def test_what_a_session_may_upgrade_to(options: Any, upgrades: tuple[str, ...]) -> None:
    assert Settings(**options).upgrades == upgrades


def test_the_decoder_s_limits() -> None:
    settings = Settings(
        max_attachments=1,
        max_attachments_size=2,
        max_nesting_depth=3,
        max_event_name_length=4,
        max_namespace_length=5,
        max_json_values=6,
        max_auth_size=7,
    )
    assert settings.limits == Limits(
        max_attachments=1,
        max_attachments_size=2,
        max_nesting_depth=3,
        max_event_name_length=4,
        max_namespace_length=5,
        max_json_values=6,
        max_auth_size=7,
        max_eager_length=LARGE,
    )
    assert Settings().limits == Limits(max_eager_length=LARGE)


def test_the_parser() -> None:
    assert Settings().own_parser is None
    assert isinstance(Settings().new_decoder(), Decoder)
    settings = Settings(parser="msgpack")
    assert isinstance(settings.own_parser, MsgpackParser)
    assert settings.own_parser is settings.own_parser
    one, other = settings.new_decoder(), settings.new_decoder()
    assert isinstance(one, CheckedDecoder)
    assert one is not other
    assert isinstance(Settings(parser="tests.project.parsers.JSONParser").own_parser, JSONParser)


def test_the_parser_without_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django_socketio.conf.validators.find_spec", lambda name: None)
    (problem,) = problems({"PARSER": "msgpack"})
    assert problem.message == "SOCKETIO[\"PARSER\"] has a bad value: 'msgpack'."
    assert "pip install channels-socketio[msgpack]" in problem.hint
    monkeypatch.setattr("django_socketio.packets.msgpack_parser.msgpack", None)
    with pytest.raises(ImportError, match=r"pip install channels-socketio\[msgpack\]"):
        MsgpackParser(Limits())


def test_typed_without_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not list(problems({"TYPED": True}))
    monkeypatch.setattr("django_socketio.conf.validators.find_spec", lambda name: None)
    assert not list(problems({"TYPED": False}))
    (problem,) = problems({"TYPED": True})
    assert "pip install channels-socketio[typed]" in problem.hint


def test_the_json_library() -> None:
    assert isinstance(Settings().codec, OrjsonCodec)
    settings = Settings(json="django_socketio.packets.StandardCodec")
    assert isinstance(settings.codec, StandardCodec)
    assert settings.codec is settings.codec
    assert settings.encoder.event("/", "e", [b"x"]).attachments == (b"x",)


@pytest.mark.parametrize(
    ("value", "threshold"),
    [(True, 1024), (False, None), ({}, 1024), ({"THRESHOLD": 0}, 0), ({"THRESHOLD": 5000}, 5000)],
)
def test_the_size_from_which_answers_are_compressed(value: Any, threshold: int | None) -> None:
    assert Settings(http_compression=value).compression_threshold == threshold


# The cookie


def bake(cookie: Any) -> dict[str, str]:
    """The attributes of the cookie as a browser sees them."""
    header = Settings(cookie=cookie).bake_cookie("the-sid")
    assert header is not None
    first, *rest = header.split("; ")
    return {"": first, **dict((part + "=").split("=")[:2] for part in rest)}


def test_no_cookie() -> None:
    assert Settings().bake_cookie("the-sid") is None
    assert Settings(cookie=False).bake_cookie("the-sid") is None


def test_node_s_cookie() -> None:
    assert bake(True) == {"": "io=the-sid", "Path": "/", "HttpOnly": "", "SameSite": "Lax"}


@pytest.mark.parametrize(
    "cookie",
    [
        {"NAME": "sid", "MAX_AGE": 60, "HTTPONLY": False, "SAMESITE": "Strict", "SECURE": True},
        {"name": "sid", "maxAge": 60, "httpOnly": False, "sameSite": "Strict", "secure": True},
        {"name": "sid", "max-age": 60, "http_only": False, "same_site": "Strict", "Secure": True},
        {"Name": "sid", "Max_Age": 60, "HttpOnly": False, "SameSite": "Strict", "SECURE": True},
    ],
)
def test_a_cookie_s_attributes_in_any_spelling(cookie: dict[str, Any]) -> None:
    assert list(problems({"COOKIE": cookie})) == []
    assert bake(cookie) == {
        "": "sid=the-sid",
        "Path": "/",
        "Max-Age": "60",
        "Secure": "",
        "SameSite": "Strict",
    }


def test_a_cookie_s_path_and_domain() -> None:
    found = bake({"NAME": "sid", "PATH": "/chat", "DOMAIN": "example.com"})
    assert (found["Path"], found["Domain"]) == ("/chat", "example.com")


@pytest.mark.parametrize("nothing", [None, False, ""])
def test_an_attribute_that_is_nothing_is_left_out(nothing: Any) -> None:
    cookie = {
        "NAME": "sid",
        "DOMAIN": nothing,
        "SAMESITE": nothing,
        "PATH": nothing,
        "MAX_AGE": None,
    }
    assert list(problems({"COOKIE": cookie})) == []
    assert bake(cookie) == {"": "sid=the-sid", "HttpOnly": ""}


def test_a_cookie_s_newer_attributes() -> None:
    cookie = {"EXPIRES": AWARE, "PRIORITY": "high", "PARTITIONED": True, "SECURE": True}
    assert list(problems({"COOKIE": cookie})) == []
    assert bake(cookie) == {
        "": "io=the-sid",
        "Path": "/",
        "HttpOnly": "",
        "SameSite": "Lax",
        "Secure": "",
        "expires": "Wed, 02 Jan 2030 02:04:05 GMT",
        "Priority": "High",
        "Partitioned": "",
    }
    assert bake({"EXPIRES": "Wed, 02 Jan 2030 02:04:05 GMT"})["expires"] == http_date(
        AWARE.timestamp()
    )
    assert set(bake({"PRIORITY": None, "PARTITIONED": False, "EXPIRES": None})) == set(bake(True))


def test_a_max_age_of_zero_is_one() -> None:
    assert bake({"NAME": "sid", "MAX_AGE": 0})["Max-Age"] == "0"


def test_a_cookie_can_be_read_back() -> None:
    header = Settings(cookie=True).bake_cookie("aB3_-x")
    cookie: SimpleCookie = SimpleCookie(header)
    assert cookie["io"].value == "aB3_-x"
