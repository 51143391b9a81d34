"""MAX_THREADS_PER_CLIENT, MAX_WAITING_THREADS: plain handlers, and those that wait for answers."""

from __future__ import annotations

from tests.harness.servers import Server
from tests.harness.wire import Peer, open_peer

from .conftest import LIMITS

SHARE = LIMITS["MAX_THREADS_PER_CLIENT"]
WAITING = LIMITS["MAX_WAITING_THREADS"]


def ask(peer: Peer, number: int) -> None:
    peer.send(f'42{number}["ask_in_thread"]')


def question(peer: Peer) -> str:
    """The id of the question that comes next."""
    packet = peer.next()
    assert isinstance(packet, str)
    head, _, event = packet.partition("[")
    assert event == '"question"]', packet
    return head[2:]


def answered(peer: Peer, question: str, number: int) -> None:
    peer.send(f'43{question}["answer"]')
    assert peer.next() == f'43{number}["answer"]'


def test_as_many_threads_as_a_client_may_have(server: Server, bystander: Peer) -> None:
    with open_peer(server) as peer:
        for number in range(SHARE):
            ask(peer, number)
        # Threads ask in any order.
        questions = [question(peer) for _ in range(SHARE)]
        peer.send(*(f'43{name}["answer"]' for name in questions))
        answers = {peer.next() for _ in range(SHARE)}
        assert answers == {f'43{number}["answer"]' for number in range(SHARE)}


def test_one_more_waits_for_its_turn(server: Server, bystander: Peer) -> None:
    with open_peer(server) as peer:
        questions = []
        for number in range(SHARE):
            ask(peer, number)
            questions.append(question(peer))
        ask(peer, SHARE)
        assert peer.echoes()  # and the question has not come
        with open_peer(server) as other:
            ask(other, 5)
            answered(other, question(other), 5)
        peer.send(f'43{questions[0]}["answer"]')
        came = sorted([str(peer.next()), str(peer.next())])
        assert came[0].endswith('["question"]')
        assert came[1] == '430["answer"]'
        answered(peer, came[0][2:].partition("[")[0], SHARE)
        for number in range(1, SHARE):
            answered(peer, questions[number], number)


def test_as_many_threads_as_may_wait(server: Server, bystander: Peer) -> None:
    peers = [open_peer(server) for _ in range(WAITING)]
    questions = []
    for peer in peers:
        ask(peer, 1)
        questions.append(question(peer))
    for peer, name in zip(peers, questions, strict=True):
        answered(peer, name, 1)
        peer.leave()


def test_one_more_and_the_oldest_gives_up(server: Server, bystander: Peer) -> None:
    peers = [open_peer(server) for _ in range(WAITING + 1)]
    questions = []
    with server.counting("limits", "too many threads wait for answers"):
        for peer in peers:
            ask(peer, 1)
            questions.append(question(peer))
    for peer, name in list(zip(peers, questions, strict=True))[1:]:
        answered(peer, name, 1)
    # It asks again, and is served.
    ask(peers[0], 2)
    answered(peers[0], question(peers[0]), 2)
    for peer in peers:
        peer.leave()
