"""PING_TIMEOUT: who does not answer a ping is let go, whatever else it does."""

from __future__ import annotations

import threading

from tests.harness.servers import HOSTILE, Server, Servers
from tests.harness.waiting import until
from tests.harness.wire import Peer, Poller, open_peer

from .conftest import LIMITS, TIMES

PAUSE = TIMES["PING_TIMEOUT"] / 50


def test_a_client_that_sends_on_and_answers_no_ping(impatient: Server, bystander: Peer) -> None:
    over = threading.Event()
    with open_peer(impatient, pongs=False) as peer, impatient.counting("limits", "ping timeout"):

        def talk() -> None:
            while not over.wait(PAUSE):
                peer.emit("note_it")

        talker = threading.Thread(target=talk, daemon=True)
        talker.start()
        try:
            assert peer.frames_until_closed() == ["2"]
        finally:
            over.set()
            talker.join()
    assert impatient.reason(peer.sid) == "ping timeout"


def test_a_client_that_posts_on_and_answers_no_ping(impatient: Server, bystander: Peer) -> None:
    poller = Poller(impatient)
    sid = poller.join()
    with impatient.counting("limits", "ping timeout"):
        until(lambda: poller.post('42["note_it"]').status != 200, "the session to end")
    assert poller.is_gone()
    assert impatient.reason(sid) == "ping timeout"


def test_a_client_that_only_answers_pings(impatient: Server, bystander: Peer) -> None:
    with open_peer(impatient) as peer:
        peer.until_pinged(3)
        assert peer.echoes()


def test_a_pong_that_stands_behind_events_that_wait(servers: Servers) -> None:
    """While nobody reads what a client sends, nobody counts the time to its pong."""
    server = servers.get("uvicorn", app=HOSTILE, socketio={**LIMITS, **TIMES})
    with open_peer(server) as witness, open_peer(server) as peer:
        peer.send('42["hold","pong"]', *['42["note_it"]'] * (2 * LIMITS["MAX_PENDING_EVENTS"]))
        # Longer than interval and timeout.
        witness.until_pinged(4)
        server.release("pong")
        assert peer.echoes()
    assert server.reason(peer.sid) == "transport close"
