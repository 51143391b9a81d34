"""What counts is the inflated size, and request bodies are not inflated at all."""

from __future__ import annotations

import gzip
import zlib

import pytest

from tests.harness.servers import HOSTILE, Server, Servers
from tests.harness.wire import Peer, Poller, open_peer

from .inprocess import client_of, exchange, handshake, of_session

LIMIT = 1_000_000  # the default
MEGABYTE = 1024 * 1024


def test_compression_bombs_in_messages(uvicorn: Server, bystander: Peer) -> None:
    """A few kilobytes on the wire that would be more than a message may have."""
    for message in ("4" + "x" * LIMIT, b"\0" * (2 * LIMIT)):
        peer = open_peer(uvicorn, compression="deflate")
        assert peer.websocket.protocol.extensions
        peer.send(message)
        peer.close_code()
        assert uvicorn.reason(peer.sid) == "transport error"


def test_compression_bombs_in_messages_are_not_inflated_whole(
    uvicorn: Server, bystander: Peer
) -> None:
    bomb = b"\0" * (64 * MEGABYTE)
    before = uvicorn.memory()
    for _ in range(8):
        peer = open_peer(uvicorn, compression="deflate")
        peer.send(bomb)
        peer.close_code()
        assert uvicorn.reason(peer.sid) == "transport error"
    # uvicorn gives up at 16 MB (--ws-max-size).
    assert uvicorn.memory() - before < len(bomb)


def test_compression_bombs_have_no_way_in_on_daphne(servers: Servers) -> None:
    with open_peer(servers.get("daphne", app=HOSTILE), compression="deflate") as peer:
        assert peer.websocket.protocol.extensions == []
        assert peer.echoes()


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "identity, gzip"])
def test_compression_bombs_in_bodies(server: Server, bystander: Peer, encoding: str) -> None:
    """A compressed body is just bytes that are no packets."""
    poller = Poller(server)
    poller.join()
    body = b'42["note_it"]'
    packed = zlib.compress(body) if encoding == "deflate" else gzip.compress(body)
    assert poller.ask("POST", packed, headers={"Content-Encoding": encoding}).status == 200
    assert server.reason(poller.sid) == "parse error"
    assert server.log(poller.sid) == [["connect"], ["disconnect", "parse error"]]
    # Nor does the header matter where the body is not compressed.
    poller = Poller(server)
    poller.join()
    assert poller.ask("POST", body, headers={"Content-Encoding": encoding}).status == 200
    assert server.log(poller.sid) == [["connect"], ["event", 0]]


async def test_compression_bombs_in_bodies_never_inflate(monkeypatch: pytest.MonkeyPatch) -> None:
    def inflate(*args: object, **options: object) -> None:
        raise AssertionError("a body was inflated")

    monkeypatch.setattr(gzip, "decompress", inflate)
    monkeypatch.setattr(zlib, "decompress", inflate)
    monkeypatch.setattr(zlib, "decompressobj", inflate)
    for encoding, packed in (
        (b"gzip", gzip.compress(bytes(LIMIT * 10))),
        (b"deflate", zlib.compress(bytes(LIMIT * 10))),
    ):
        assert len(packed) < 20_000
        sid = await handshake()
        headers = [(b"content-encoding", encoding)]
        post = await exchange(of_session(sid), "POST", headers, [packed])
        assert post.status == 200
        assert client_of(sid) is None
        # The limit is on what comes over the wire.
        sid = await handshake()
        post = await exchange(of_session(sid), "POST", headers, [bytes(LIMIT), b"x"], ends=False)
        assert post.status == 413
