"""MAX_NAMESPACES, MAX_NAMESPACE_LENGTH."""

from __future__ import annotations

import pytest

from tests.harness.servers import Server
from tests.harness.wire import Peer, Poller, open_peer

from .conftest import LIMITS

LIMIT = LIMITS["MAX_NAMESPACES"]
LENGTH = LIMITS["MAX_NAMESPACE_LENGTH"]


def test_too_many(server: Server, bystander: Peer) -> None:
    peer = open_peer(server)
    sids = [peer.sid] + [peer.join(f"/{number}/many").sid for number in range(LIMIT - 1)]
    with server.counting("limits", "too many namespaces"):
        peer.send("40/more/many,")
        assert peer.frames_until_closed() == []
    assert [server.reason(sid) for sid in sids] == ["parse error"] * LIMIT


def test_too_many_over_polling(server: Server, bystander: Peer) -> None:
    poller = Poller(server)
    poller.join()
    with server.counting("limits", "too many namespaces"):
        poller.post(*(f"40/{number}/many," for number in range(LIMIT)))
    assert server.reason(poller.sid) == "parse error"


def test_those_left_do_not_count(server: Server, bystander: Peer) -> None:
    with open_peer(server) as peer:
        for number in range(3 * LIMIT):
            peer.join(f"/{number}/many")
            peer.send(f"41/{number}/many,")
        assert peer.echoes()
        server.until(lambda state: state["held"]["namespaces"] <= 2, "namespaces to be forgotten")


def test_those_refused_do_not_count(server: Server, bystander: Peer) -> None:
    with open_peer(server) as peer:
        for number in range(3 * LIMIT):
            peer.send("40/members,", f"40/nowhere/{number},")
            assert peer.next() == '44/members,{"message":"Login required"}'
            assert peer.next() == f'44/nowhere/{number},{{"message":"Invalid namespace"}}'
        assert peer.echoes()


def test_those_that_are_at_work_yet_count(server: Server, bystander: Peer) -> None:
    """Coming and going makes no room for more handlers than that."""
    before = server.state()
    peer = open_peer(server)
    with server.counting("limits", "too many namespaces"):
        for _ in range(LIMIT):
            peer.send('42["hold","namespaces"]', "41", "40")
        peer.frames_until_closed()
    server.release("namespaces")
    server.until_it_holds_no_more_than(before)


def named(length: int) -> str:
    """A namespace's name of so many characters that the project serves."""
    return "/" + "7" * (length - len("//many")) + "/many"


@pytest.mark.parametrize("length", [LENGTH + 1, 15_000])
@pytest.mark.parametrize("packet", ["40{},", "42{},[1]", "40{}"])
def test_a_name_that_is_too_long(server: Server, bystander: Peer, packet: str, length: int) -> None:
    peer = open_peer(server)
    with server.counting("limits", "namespace too long"):
        peer.send(packet.format(named(length)))
        assert peer.frames_until_closed() == []
    assert server.reason(peer.sid) == "parse error"


def test_a_name_that_is_too_long_over_polling(server: Server, bystander: Peer) -> None:
    poller = Poller(server)
    poller.join()
    with server.counting("limits", "namespace too long"):
        poller.post(f"40{named(LENGTH + 1)},")
    assert server.reason(poller.sid) == "parse error"


def test_a_name_that_is_long_enough(server: Server, bystander: Peer) -> None:
    with open_peer(server) as peer:
        peer.join(named(LENGTH))
        assert peer.echoes()
