"""The system checks."""

from __future__ import annotations

import ast
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import pytest
from django.core import checks as django_checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.test import override_settings

from django_socketio import checks
from tests.harness.bundles import install, uninstall

# Other checks, those of models, may ask the database.
TAG = django_checks.Tags.compatibility

IN_MEMORY = "channels.layers.InMemoryChannelLayer"
REDIS = "channels_redis.pubsub.RedisPubSubChannelLayer"
LEVELS = ("Critical", "Error", "Warning", "Info", "Debug")
SETTINGS_PAGE = Path(__file__).resolve().parents[3] / "docs" / "settings.md"

# Django's own check of JSON fields asks the database from Django 6 on.
pytestmark = pytest.mark.django_db


def found(socketio: Any, layers: Any = None) -> list[django_checks.CheckMessage]:
    with override_settings(SOCKETIO=socketio, CHANNEL_LAYERS=layers or {}):
        messages = django_checks.run_checks(tags=[TAG])
    return [message for message in messages if str(message.id).startswith("django_socketio.E")]


def test_good_settings_are_silent() -> None:
    assert found({}) == []
    assert found({"PING_INTERVAL": 5, "COOKIE": True}) == []


def test_an_unknown_key_is_an_error_with_a_hint() -> None:
    (error,) = found({"PING_INTERVALL": 5})
    assert (error.id, error.level) == ("django_socketio.E001", django_checks.ERROR)
    assert "PING_INTERVALL" in error.msg
    assert error.hint == 'Did you mean "PING_INTERVAL"?'


def test_every_bad_value_is_an_error_of_its_own() -> None:
    errors = found({"PING_INTERVAL": 0, "PATH": "x", "COOKIE": {"NAME": "a b"}})
    assert sorted(error.obj for error in errors) == ["COOKIE", "PATH", "PING_INTERVAL"]
    assert all(error.hint for error in errors)


def test_the_pair_that_gives_cookies_to_any_page_is_an_error() -> None:
    (error,) = found({"CORS_ALLOWED_ORIGINS": "*", "CORS_ALLOW_CREDENTIALS": True})
    assert error.obj == "CORS_ALLOW_CREDENTIALS"


def test_a_setting_that_is_no_dict_is_an_error() -> None:
    (error,) = found(["PING_INTERVAL"])
    assert "dict" in error.msg


def test_manage_py_check_fails() -> None:
    with override_settings(SOCKETIO={"PATH": "x"}), pytest.raises(SystemCheckError, match="PATH"):
        call_command("check", tags=[TAG])


def test_an_unknown_channel_layer_is_an_error() -> None:
    assert found({"CHANNEL_LAYER": "chat"}, {"chat": {"BACKEND": IN_MEMORY}}) == []
    (error,) = found({"CHANNEL_LAYER": "chat"}, {"default": {}, "other": {}})
    assert (error.id, error.level) == ("django_socketio.E002", django_checks.ERROR)
    assert "'chat'" in error.msg
    assert "'default', 'other'" in str(error.hint)


@pytest.mark.parametrize("alias", [None, "", ["default"], 5])
def test_a_channel_layer_that_is_no_alias_is_one_error(alias: Any) -> None:
    (error,) = found({"CHANNEL_LAYER": alias}, {"default": {}})
    assert error.id == "django_socketio.E001"
    with override_settings(SOCKETIO={"CHANNEL_LAYER": alias}):
        assert checks.check_channel_layer(None) == []


@pytest.mark.parametrize("backend", [None, IN_MEMORY])
@pytest.mark.parametrize("variable", ["WEB_CONCURRENCY", "UVICORN_WORKERS"])
def test_several_workers_need_a_shared_layer(monkeypatch: Any, backend: Any, variable: str) -> None:
    layers = {"chat": {"BACKEND": backend or REDIS}, "default": {"BACKEND": REDIS}}
    monkeypatch.setenv(variable, "2")
    with override_settings(SOCKETIO={"CHANNEL_LAYER": "chat"}, CHANNEL_LAYERS=layers):
        messages = checks.check_channel_layer(None) + checks.check_outside(None)
    expected = ["django_socketio.W002", "django_socketio.W003"] if backend else []
    assert [message.id for message in messages] == expected
    assert all(variable in message.msg for message in messages[:1])


@pytest.mark.parametrize("wanted", ["1", "", "many", "-2"])
def test_one_process_needs_none(monkeypatch: Any, wanted: str) -> None:
    monkeypatch.setenv("WEB_CONCURRENCY", wanted)
    with override_settings(CHANNEL_LAYERS={}):
        assert checks.check_channel_layer(None) == []


def test_the_core_layer_is_mentioned() -> None:
    layers = {"default": {"BACKEND": "channels_redis.core.RedisChannelLayer"}}
    with override_settings(CHANNEL_LAYERS=layers):
        (info,) = checks.check_channel_layer(None)
    assert (info.id, info.level) == ("django_socketio.I001", django_checks.INFO)


@pytest.mark.parametrize(
    ("backend", "word"),
    [
        ("channels_nats.NatsChannelLayer", "max_payload"),
        ("channels_rabbitmq.core.RabbitmqChannelLayer", "remote_capacity"),
        ("channels_postgres.core.PostgresChannelLayer", "channels_postgres_message"),
        ("channels_valkey.pubsub.ValkeyPubSubChannelLayer", None),
        ("channels_redis.pubsub.RedisPubSubChannelLayer", None),
    ],
)
def test_what_other_layers_cannot_do_is_said(
    settings: Any, monkeypatch: Any, backend: str, word: str | None
) -> None:
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": backend}}
    monkeypatch.setitem(settings.DATABASES, "channels_postgres", {})
    messages = checks.check_channel_layer(None)
    assert [message.id for message in messages] == (["django_socketio.I002"] if word else [])
    assert all(str(word) in str(message.hint) for message in messages)


def test_channels_postgres_needs_a_database_of_that_name(settings: Any) -> None:
    backend = "channels_postgres.core.PostgresChannelLayer"
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": backend}}
    _, error = checks.check_channel_layer(None)
    assert (error.id, error.level) == ("django_socketio.E003", django_checks.ERROR)


@pytest.mark.parametrize(
    ("socketio", "ids"),
    [
        ({"SERVE_CLIENT": True}, ["django_socketio.W005"]),
        ({"SERVE_CLIENT": False}, []),
        ({}, []),  # nobody has asked for it
    ],
)
def test_the_client_that_is_asked_for_is_there(
    settings: Any, tmp_path: Path, socketio: Any, ids: list[str]
) -> None:
    settings.SOCKETIO = socketio
    uninstall(settings)
    assert [warning.id for warning in checks.check_client(None)] == ids
    install(settings, tmp_path / "client")
    assert checks.check_client(None) == []


def test_every_check_has_a_hint_and_a_row_in_the_documentation() -> None:
    """Read from the code, so that a new check cannot forget them."""
    tree = ast.parse(Path(str(checks.__file__)).read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    messages = [call for call in calls if getattr(call.func, "id", "") in LEVELS]
    assert messages
    for call in messages:
        assert {"hint", "id"} <= {keyword.arg for keyword in call.keywords}, ast.unparse(call)
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    ids = {text for text in texts if str(text).startswith("django_socketio.")}
    rows = [line for line in SETTINGS_PAGE.read_text().splitlines() if line.startswith("| `")]
    assert {row.split("`")[1] for row in rows if "django_socketio." in row} == ids


@pytest.mark.parametrize("installed", ["4.2.2", "4.2.10", "4.3", "5", "4.10.0", "4.2.3.dev1"])
def test_a_daphne_that_limits_its_messages(monkeypatch: Any, installed: str) -> None:
    monkeypatch.setattr(checks, "version", lambda name: installed)
    assert checks.check_daphne(None) == []


@pytest.mark.parametrize(
    "installed", ["4.2.1", "4.2", "4.1.9", "3.0.2", "4.2.2rc1", "4", "nonsense"]
)
def test_a_daphne_that_does_not(monkeypatch: Any, installed: str) -> None:
    monkeypatch.setattr(checks, "version", lambda name: installed)
    (warning,) = checks.check_daphne(None)
    assert (warning.id, warning.level) == ("django_socketio.W001", django_checks.WARNING)
    assert installed in warning.msg
    assert "4.2.2" in str(warning.hint)


def test_no_daphne_at_all(monkeypatch: Any) -> None:
    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(checks, "version", missing)
    assert checks.check_daphne(None) == []


@pytest.mark.parametrize("everybody", ["0.0.0.0/0", "::/0"])
def test_trusting_everybody_is_mentioned(everybody: str) -> None:
    with override_settings(SOCKETIO={"TRUSTED_PROXIES": ["10.0.0.0/8", everybody]}):
        (warning,) = checks.check_proxies(None)
    assert (warning.id, warning.level) == ("django_socketio.W006", django_checks.WARNING)
    assert everybody in warning.msg


@pytest.mark.parametrize(
    "socketio",
    [{}, [], *({"TRUSTED_PROXIES": value} for value in (0, 2, [], ["10.0.0.0/8"], ["x"], None))],
)
def test_trusting_somebody_is_not(socketio: Any) -> None:
    """Values that are no good are an error already."""
    with override_settings(SOCKETIO=socketio):
        assert checks.check_proxies(None) == []


@pytest.mark.parametrize("backend", ["signed_cookies", "db"])
def test_sessions_in_cookies_are_mentioned(backend: str) -> None:
    with override_settings(SESSION_ENGINE=f"django.contrib.sessions.backends.{backend}"):
        found = [
            [message.id for message in django_checks.run_checks(include_deployment_checks=deploy)]
            for deploy in (False, True)
        ]
    assert "django_socketio.W007" not in found[0]
    assert ("django_socketio.W007" in found[1]) == (backend == "signed_cookies")
