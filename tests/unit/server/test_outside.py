"""Sending from a process that serves nobody, where the channel layer reaches nobody either."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import ImproperlyConfigured

from django_socketio import io, process


def test_the_error_says_what_to_configure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "serving", False)
    monkeypatch.setattr("django_socketio.server.hubs._hubs", [])
    monkeypatch.delattr(mail, "outbox")
    with pytest.raises(ImproperlyConfigured, match="RedisPubSubChannelLayer"):
        io.emit("news")


def test_with_debug_it_is_one_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, settings: Any
) -> None:
    """A signal's receiver that emits must not break ``loaddata`` on a developer's machine."""
    settings.DEBUG = True
    monkeypatch.setattr(process, "serving", False)
    monkeypatch.setattr("django_socketio.server.hubs._hubs", [])
    monkeypatch.setattr("django_socketio.server.outside._warned", False)
    monkeypatch.delattr(mail, "outbox")
    for _ in range(2):
        io.emit("news")
        io.to("room").sockets_join("other")
    assert io.fetch_sockets() == []
    assert io.call("question") == []
    (record,) = caplog.records
    assert (record.levelname, record.name) == ("WARNING", "django_socketio")
    assert record.getMessage().startswith("nothing is sent from this process. ")
    assert "RedisPubSubChannelLayer" in record.getMessage()


def test_tests_send_to_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "serving", False)
    monkeypatch.setattr("django_socketio.server.hubs._hubs", [])
    io.emit("news")
    assert io.fetch_sockets() == []
