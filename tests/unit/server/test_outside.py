"""Sending from a process that serves nobody, where the channel layer reaches nobody either."""

from __future__ import annotations

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


def test_tests_send_to_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "serving", False)
    monkeypatch.setattr("django_socketio.server.hubs._hubs", [])
    io.emit("news")
    assert io.fetch_sockets() == []
