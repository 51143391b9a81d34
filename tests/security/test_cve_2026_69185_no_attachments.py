"""A binary event without attachments is dispatched; stray attachments close the session."""

from __future__ import annotations

import pytest

from tests.harness.servers import Server
from tests.harness.wire import Peer, Poller, open_peer

DUE = '451-["note_it",{"_placeholder":true,"num":0}]'


def test_cve_2026_69185_no_attachments_are_dispatched_once(server: Server, bystander: Peer) -> None:
    with open_peer(server) as peer:
        peer.send('450-["note_it"]', '450-7["echo",1]')
        assert peer.next() == "437[1]"
        assert server.log(peer.sid) == [["connect"], ["event", 0]]
        # The decoder waits for nothing: text still comes through.
        assert peer.echoes()
        peer.send("460-9[]")
        assert peer.echoes()
    poller = Poller(server)
    poller.join()
    poller.post('450-["note_it"]', '450-7["echo",1]')
    assert poller.poll() == ["437[1]"]
    assert server.log(poller.sid) == [["connect"], ["event", 0]]


@pytest.mark.parametrize(
    "frames",
    [
        [b"stray"],
        [b""],
        ["bAAAA"],
        ['450-["note_it"]', b"stray"],
        [DUE, b"due", b"stray"],
        [DUE, '42["note_it"]'],
        [DUE, DUE],
        [DUE, "41"],
        [DUE, "40/other/many"],
        [DUE, "4"],
    ],
    ids=str,
)
def test_cve_2026_69185_no_attachments_out_of_turn(
    server: Server, bystander: Peer, frames: list[str | bytes]
) -> None:
    peer = open_peer(server)
    peer.send(*frames)
    assert peer.frames_until_closed() == []
    assert server.reason(peer.sid) == "parse error"
    events = [what for what in server.log(peer.sid) if what[0] == "event"]
    assert len(events) == (1 if frames[-1] == b"stray" and len(frames) > 1 else 0)
