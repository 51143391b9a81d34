"""An event whose name is of the wrong type closes the session; an integer is a name."""

from __future__ import annotations

import pytest

from tests.harness.servers import Server
from tests.harness.wire import Peer, Poller, open_peer

WRONG = [
    "2[{}]",
    "2[null]",
    "2[]",
    "2{}",
    '2[["a"]]',
    "2[true]",
    "2[false]",
    '2[{"toString":"foo"}]',
    "2",
    "2null",
    '2"echo"',
    "21[{}]",
    "50-[{}]",
    "51-[]",
    '51-[{"_placeholder":true,"num":0}]',
]


@pytest.mark.parametrize("packet", WRONG)
def test_cve_2023_32695_event_names_of_the_wrong_type(
    server: Server, bystander: Peer, packet: str
) -> None:
    peer = open_peer(server)
    peer.send("4" + packet, b"attachment")
    assert peer.frames_until_closed() == []
    assert server.reason(peer.sid) == "parse error"

    poller = Poller(server)
    poller.join()
    poller.post("4" + packet)
    assert server.reason(poller.sid) == "parse error"


def test_cve_2023_32695_event_names_may_be_integers(server: Server) -> None:
    with open_peer(server) as peer:
        assert peer.call(1) == ["an event may be named by a number"]
        peer.send("42[-0.5]", "42[1.5]", "42[1e20]", "42[0]")  # nobody listens to these
        assert peer.echoes()
