"""Session ids come from ``secrets``, and a client's is shown to nobody else."""

from __future__ import annotations

import json
import secrets

import pytest

from django_socketio import SocketIOConsumer
from tests.harness.servers import Server
from tests.harness.wire import Peer, Poller, open_peer, raw_websocket

from .inprocess import opened, registered


async def test_cve_2017_16031_session_ids_are_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    made: dict[str, int] = {}
    token = secrets.token_urlsafe

    def token_urlsafe(size: int) -> str:
        text = token(size)
        made[text] = size * 8
        return text

    monkeypatch.setattr(secrets, "token_urlsafe", token_urlsafe)
    with registered(SocketIOConsumer):
        wire = await opened()
        await wire.enter()
        (socket,) = wire.client.sockets.values()
        secret = {
            whole: made[part]
            for whole in (wire.id, socket.sid)
            for part in made
            if whole.endswith(part)
        }
        # Both may begin alike, with the name of their process; that is not counted.
        assert secret[wire.id] >= 96
        assert secret[socket.sid] >= 96
        assert wire.id[-16:] != socket.sid[-16:]
        await wire.leave()


def test_cve_2017_16031_session_ids_are_not_shown_to_others(
    server: Server, bystander: Peer
) -> None:
    polling = Poller(server)
    polling.join()
    polling.post('42["enter","16031"]')
    upgraded = Poller(server)
    upgraded.join()
    upgraded.post('42["enter","16031"]')
    move = raw_websocket(server, f"EIO=4&transport=websocket&sid={upgraded.id}")
    websocket = Peer(server)
    websocket_id = websocket.handshake()["sid"]
    websocket.join().call("enter", "16031")
    polling.post('42["say","16031","hello"]')

    known = json.dumps(bystander.call("who", "16031"))
    assert polling.sid in known
    assert websocket.sid in known
    for session_id in (polling.id, upgraded.id, websocket_id):
        assert session_id not in known
    assert polling.id != polling.sid
    # Nor do those in the same room see it.
    frame = websocket.next()
    assert frame == '42["said","hello"]'
    websocket.leave()
    move.close()


def test_cve_2017_16031_session_ids_do_not_repeat(server: Server) -> None:
    with open_peer(server) as peer:
        sids = set()
        for _ in range(200):
            peer.send("41")
            sids.add(peer.join().sid)
        assert len(sids) == 200
