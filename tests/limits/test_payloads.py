"""MAX_PACKETS_PER_PAYLOAD."""

from __future__ import annotations

from tests.harness.servers import Server
from tests.harness.wire import Peer, Poller

from .conftest import LIMITS

LIMIT = LIMITS["MAX_PACKETS_PER_PAYLOAD"]


def test_too_many_packets(server: Server, bystander: Peer) -> None:
    poller = Poller(server)
    poller.join()
    with server.counting("violations", "too many packets in a payload"):
        assert poller.post(*["3"] * LIMIT, '42["note_it"]').status == 200
    assert server.reason(poller.sid) == "parse error"
    # Nothing of it was handled.
    assert server.log(poller.sid) == [["connect"], ["disconnect", "parse error"]]
    assert poller.is_gone()


def test_packets_at_the_limit(server: Server, bystander: Peer) -> None:
    poller = Poller(server)
    poller.join()
    assert poller.post(*["3"] * (LIMIT - 1), '421["echo"]').status == 200
    assert poller.poll() == ["431[]"]


def test_what_the_server_sends_has_no_such_limit(server: Server, bystander: Peer) -> None:
    poller = Poller(server)
    poller.join()
    for part in range(2):
        poller.post(*(f'42{part * LIMIT + n}["echo"]' for n in range(LIMIT)))
    packets: list[str] = []
    while len(packets) < 2 * LIMIT:
        packets += poller.poll()
    assert packets == [f"43{n}[]" for n in range(2 * LIMIT)]
