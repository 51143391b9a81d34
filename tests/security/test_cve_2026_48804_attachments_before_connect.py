"""Attachments are kept for namespaces that a client has joined only, and freed when it leaves."""

from __future__ import annotations

import gc
import json
import sys

import pytest

from django_socketio import SocketIOConsumer
from tests.harness.servers import Server
from tests.harness.wire import Peer, open_peer

from .inprocess import joined, registered

DUE = json.dumps(["echo", *({"_placeholder": True, "num": number} for number in range(9))])


@pytest.mark.parametrize("namespace", ["", "/members,", "/nobody,", "/a/many,"])
def test_cve_2026_48804_attachments_before_connect_close(
    server: Server, bystander: Peer, namespace: str
) -> None:
    peer = Peer(server)
    peer.handshake()
    with server.counting("violations", "attachments for a namespace that is not connected"):
        peer.send(f"459-{namespace}{DUE}")
        # No attachment was sent yet: the text alone closes.
        assert peer.frames_until_closed() == []


def test_cve_2026_48804_attachments_before_connect_of_a_namespace_left(
    server: Server, bystander: Peer
) -> None:
    peer = open_peer(server)
    with server.counting("violations", "attachments for a namespace that is not connected"):
        peer.send("41", f"459-{DUE}")
        assert peer.frames_until_closed() == []


@pytest.mark.parametrize("end", ["drop", "violation", "leave"])
async def test_cve_2026_48804_attachments_before_connect_are_freed(end: str) -> None:
    with registered(SocketIOConsumer):
        wire = await joined()
        client = wire.client
        attachment = bytes(100_000)
        references = sys.getrefcount(attachment)
        client.receive(f"59-{DUE}")
        client.receive(attachment)
        gc.collect()
        assert sys.getrefcount(attachment) > references  # it waits for the others
        if end == "violation":
            await wire.send("42[]")
            await wire.rest()
        elif end == "leave":
            await wire.send("1")
            await wire.rest()
        await wire.leave()
        gc.collect()
        assert sys.getrefcount(attachment) == references
        assert client._decoder.pending is None


def test_cve_2026_48804_attachments_before_connect_memory(server: Server, bystander: Peer) -> None:
    """Clients come, leave events unfinished and go; the server is no larger for it."""

    def round_of_clients() -> None:
        for _ in range(12):
            with open_peer(server) as peer:
                peer.send(f"459-{DUE}", *[b"x" * 900_000] * 8)
                server.until(lambda state: state["held"]["clients"] >= 1, "the server")

    round_of_clients()
    before = server.memory()
    round_of_clients()
    # 86 MB were sent, of which the last client's may still be on its way out.
    assert server.memory() - before < 30_000_000
