"""MAX_PENDING_SESSIONS_PER_ADDRESS, MAX_HANDSHAKES_PER_ADDRESS, MAX_REFUSALS and its kin."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from django_socketio.sockets.clients import (
    DISMISSED,
    TOO_MANY_REFUSALS,
    TOO_MANY_REFUSALS_OF_ADDRESS,
)
from django_socketio.sockets.places import TOO_FAST, TOO_MANY, TOO_MANY_OF_ADDRESS
from tests.harness.protocol import Closed, connect_packet
from tests.harness.servers import Server
from tests.harness.waiting import until
from tests.harness.wire import (
    Peer,
    Poller,
    ask,
    flood,
    open_peer,
    open_socket,
    read_answer,
    upgrade_request,
)

from .conftest import ADDRESSES

SESSIONS = ADDRESSES["MAX_PENDING_SESSIONS_PER_ADDRESS"]
PROCESS = ADDRESSES["MAX_PENDING_SESSIONS"]
HANDSHAKES = ADDRESSES["MAX_HANDSHAKES_PER_ADDRESS"]
REFUSALS = ADDRESSES["MAX_REFUSALS"]
REFUSED = '44/members,{"message":"Login required"}'

_numbers = iter(range(10, 250))


@pytest.fixture
def address() -> str:
    """An address that no other test uses, since some are remembered for a second."""
    return f"127.0.1.{next(_numbers)}"


@pytest.fixture
def other() -> str:
    """Another one."""
    return f"127.0.1.{next(_numbers)}"


@pytest.fixture
def entering() -> Iterator[ExitStack]:
    """What holds clients; they leave in the end."""
    with ExitStack() as stack:
        yield stack


def enter_gated(entering: ExitStack, server: Server, source: str, number: int) -> list[Peer]:
    """Clients whose ``connect()`` runs."""
    entering.callback(server.release, source)
    peers = [entering.enter_context(Peer(server, source=source)) for _ in range(number)]
    for peer in peers:
        peer.handshake()
        with server.counting("refusals", "invalid namespace"):
            # The answer to the second says that the first was taken.
            peer.send(connect_packet("/gated", {"gate": source}), "40/nowhere,")
    return peers


def come_and_go(server: Server, source: str) -> None:
    """Connect from an address at the first attempt, and leave."""
    with open_peer(server, source=source) as peer:
        assert peer.echoes()


def test_sessions_without_a_namespace_of_an_address(
    crowded: Server, bystander: Peer, address: str, other: str
) -> None:
    pollers = [Poller(crowded, source=address) for _ in range(SESSIONS)]
    assert crowded.state()["held"]["pending"] == SESSIONS
    with crowded.counting("limits", DISMISSED):
        pollers.append(Poller(crowded, source=address))
    elsewhere = Poller(crowded, source=other)
    assert [poller.is_gone() for poller in pollers] == [True] + [False] * SESSIONS
    for poller in (*pollers[1:], elsewhere):
        poller.join()
        poller.post("1")


def test_an_address_whose_clients_all_enter_a_namespace(
    crowded: Server, bystander: Peer, entering: ExitStack, address: str, other: str
) -> None:
    peers = enter_gated(entering, crowded, address, SESSIONS)
    with crowded.counting("limits", TOO_MANY_OF_ADDRESS, 2):
        answer = ask(crowded, source=address)
        assert (answer.status, answer.body) == (429, b"")
        with open_socket(crowded, source=address) as sock:
            sock.sendall(upgrade_request())
            assert read_answer(sock).status == (403 if crowded.name == "daphne" else 429)
    come_and_go(crowded, other)
    peers[0].leave()
    crowded.until(lambda state: state["held"]["pending"] < SESSIONS, "a place")
    come_and_go(crowded, address)


def test_a_process_whose_clients_all_enter_a_namespace(
    crowded: Server, bystander: Peer, entering: ExitStack, address: str, other: str
) -> None:
    for source in (address, other):
        enter_gated(entering, crowded, source, PROCESS // 2)
    with crowded.counting("limits", TOO_MANY, 2):
        answer = ask(crowded, source=address)
        assert (answer.status, answer.body) == (503, b"")
        with open_socket(crowded, source=other) as sock:
            sock.sendall(upgrade_request())
            assert read_answer(sock).status == (403 if crowded.name == "daphne" else 503)
    # Whose address has no more than its share gets in all the same.
    come_and_go(crowded, "127.0.0.1")


def test_handshakes_of_an_address(
    crowded: Server, bystander: Peer, address: str, other: str
) -> None:
    assert flood(crowded, HANDSHAKES, address) == {200: HANDSHAKES}
    come_and_go(crowded, other)
    too_fast = crowded.state()["counted"]["limits"].get(TOO_FAST, 0)
    statuses = flood(crowded, 10 * HANDSHAKES, other)
    assert set(statuses) == {200, 429}
    assert crowded.state()["counted"]["limits"][TOO_FAST] == too_fast + statuses[429]
    until(lambda: ask(crowded, source=other).status == 200, "the next second")


def test_refused_connects_of_a_session(crowded: Server, bystander: Peer, address: str) -> None:
    with open_peer(crowded, source=address) as peer:
        peer.send(*[connect_packet("/members")] * REFUSALS)
        assert [peer.next() for _ in range(REFUSALS)] == [REFUSED] * REFUSALS
        assert peer.echoes()
        with crowded.counting("limits", TOO_MANY_REFUSALS):
            peer.send(connect_packet("/members"), connect_packet("/members"))
            assert peer.frames_until_closed() == [REFUSED]
    assert crowded.reason(peer.sid) == "parse error"


def test_refused_connects_of_an_address(
    crowded: Server, bystander: Peer, address: str, other: str
) -> None:
    def closes() -> bool:
        """Whether it was too many within a second, and the second client's session is over."""
        with open_peer(crowded, source=address) as one, open_peer(crowded, source=address) as two:
            for peer in (one, two):
                peer.send(*[connect_packet("/members")] * REFUSALS)
                assert [peer.next() for _ in range(2)] == [REFUSED] * 2
            try:
                assert [two.next() for _ in range(REFUSALS - 2)] == [REFUSED] * (REFUSALS - 2)
                return not two.echoes()
            except Closed:
                return True

    with crowded.counting("limits", TOO_MANY_REFUSALS_OF_ADDRESS):
        until(closes, "the last refusal to be one too many")
    with open_peer(crowded, source=other) as peer:
        peer.send(connect_packet("/members"))
        assert peer.next() == REFUSED
        assert peer.echoes()
