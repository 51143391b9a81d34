"""Unasked PONGs start nothing."""

from __future__ import annotations

from tests.harness.servers import Server
from tests.harness.wire import Peer, Poller, open_peer

PONGS = 10_000


def test_cve_2026_48802_pongs_over_websocket(server: Server, bystander: Peer) -> None:
    with open_peer(server) as peer:
        before = server.state()
        for _ in range(PONGS):
            peer.websocket.send("3")
        assert peer.echoes()  # all of them were read
        assert server.holds_no_more_than(before)


def test_cve_2026_48802_pongs_over_polling(server: Server, bystander: Peer) -> None:
    poller = Poller(server)
    poller.join()
    before = server.state()
    for _ in range(10):
        assert poller.post(*["3"] * (PONGS // 10)).status == 200
    assert server.holds_no_more_than(before)
    poller.post('421["echo"]')
    assert poller.poll() == ["431[]"]
    poller.post("1")
