"""Attachments are limited in number, in bytes and in time."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from django_socketio.conf import get_settings
from django_socketio.packets import Decoder, Limits, PacketLimitExceeded, StandardCodec
from tests.harness.servers import HOSTILE, Server, Servers
from tests.harness.wire import open_peer


def event(count: int) -> str:
    placeholders = [{"_placeholder": True, "num": number} for number in range(count)]
    return f"5{count}-" + json.dumps(["echo", *placeholders])


def test_cve_2026_33151_attachments_are_counted_at_once() -> None:
    limits = Limits(max_attachments=50)
    decoder = Decoder(StandardCodec(), limits)
    assert decoder.feed(event(50)) is None
    with pytest.raises(PacketLimitExceeded, match="too many attachments"):
        Decoder(StandardCodec(), limits).feed(event(51))
    with pytest.raises(PacketLimitExceeded, match="too many attachments"):
        Decoder(StandardCodec(), limits).feed('29999999-["a"]'.replace("2", "5", 1))


def test_cve_2026_33151_attachments_are_weighed_as_they_come() -> None:
    decoder = Decoder(StandardCodec(), Limits(max_attachments_size=1000))
    decoder.feed(event(4))
    decoder.feed(b"x" * 400)
    decoder.feed(b"x" * 600)
    with pytest.raises(PacketLimitExceeded, match="attachments too large"):
        decoder.feed(b"x")
    assert decoder.pending is None  # nothing is kept


def test_cve_2026_33151_attachments_by_default_are_enough(server: Server) -> None:
    """Ordinary users send more than ten."""
    with open_peer(server) as peer:
        peer.send("4" + event(500).replace("-", "-1", 1), *[bytes([n % 251]) for n in range(500)])
        head = peer.next()
        assert isinstance(head, str)
        assert head.startswith("46500-1")
        assert [peer.next() for _ in range(500)] == [bytes([n % 251]) for n in range(500)]


@pytest.mark.parametrize("key", ["MAX_ATTACHMENTS", "MAX_ATTACHMENTS_SIZE", "ATTACHMENTS_TIMEOUT"])
def test_cve_2026_33151_attachments_have_settings(settings: Any, key: str) -> None:
    settings.SOCKETIO = {key: 17}
    assert getattr(get_settings(), key.lower()) == 17
    settings.SOCKETIO = {key: -1}
    with pytest.raises(ImproperlyConfigured, match=key):
        get_settings()


@pytest.mark.parametrize("name", ["daphne", "uvicorn"])
def test_cve_2026_33151_attachments_must_be_complete_in_time(servers: Servers, name: str) -> None:
    server = servers.get(name, app=HOSTILE, socketio={"ATTACHMENTS_TIMEOUT": 0.5})
    with open_peer(server) as bystander:
        peer = open_peer(server)
        with server.counting("limits", "attachments overdue"):
            peer.send("4" + event(2), b"one")
            assert peer.frames_until_closed() == []
        assert server.reason(peer.sid) == "parse error"
        assert bystander.echoes()
