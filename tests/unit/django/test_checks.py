"""The system checks."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError
from typing import Any

import pytest
from django.core import checks as django_checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.test import override_settings

from django_socketio import checks

# Other checks, those of models, may ask the database.
TAG = django_checks.Tags.compatibility

# Django's own check of JSON fields asks the database from Django 6 on.
pytestmark = pytest.mark.django_db


def found(socketio: Any) -> list[django_checks.CheckMessage]:
    with override_settings(SOCKETIO=socketio):
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
