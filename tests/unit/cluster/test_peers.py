"""Peers: who is taken for alive, by heartbeats. Time is an argument."""

from __future__ import annotations

import math

from django_socketio.cluster.peers import Peers

TIMEOUT = 4.0


def beat(peers: Peers, start: float, seconds: float, interval: float = 1.0) -> list[str]:
    """Ask who has expired every ``interval`` seconds, for so long."""
    found = []
    for number in range(1, round(seconds / interval) + 1):
        found += peers.expire(start + number * interval, interval)
    return found


def test_a_peer_that_says_hello() -> None:
    peers = Peers(TIMEOUT)
    assert peers.heartbeat("a", "channel a", 1, 0.0)
    assert not peers.heartbeat("a", "channel a2", 1, 1.0)
    assert "a" in peers
    assert peers.nodes() == {"a"}
    assert len(peers) == 1
    assert peers.channel("a") == "channel a2"
    assert peers.channel("b") is None


def test_a_peer_that_says_goodbye() -> None:
    peers = Peers(TIMEOUT)
    peers.heartbeat("a", "channel", 1, 0.0)
    assert peers.remove("a")
    assert not peers.remove("a")
    assert "a" not in peers


def test_signs_of_life() -> None:
    """Anything that a peer says; it takes heartbeats to stay, though."""
    peers = Peers(TIMEOUT)
    peers.note_sign("a", 1.0)
    assert peers.last_sign("a") == -math.inf
    peers.heartbeat("a", "channel", 1, 2.0)
    assert peers.last_sign("a") == 2.0
    peers.note_sign("a", 5.0)
    assert peers.last_sign("a") == 5.0
    assert beat(peers, 2.0, 5) == ["a"]


def test_a_silent_peer_is_forgotten_after_the_timeout() -> None:
    peers = Peers(TIMEOUT)
    peers.heartbeat("a", "channel", 1, 0.0)
    assert beat(peers, 0, 4) == []
    assert peers.expire(4.1, 1) == ["a"]
    assert peers.expire(4.2, 1) == []
    assert "a" not in peers


def test_every_heartbeat_counts() -> None:
    peers = Peers(TIMEOUT)
    for second in range(20):
        peers.heartbeat("a", "channel", 1, float(second))
        assert peers.expire(second + 0.5, 1) == []
    assert beat(peers, 19.5, 6) == ["a"]


def test_a_peer_with_rare_heartbeats_gets_the_time_for_some() -> None:
    peers = Peers(TIMEOUT)
    peers.heartbeat("a", "channel", 10, 0.0)
    assert beat(peers, 0, 40) == []
    assert peers.expire(40.1, 1) == ["a"]


def test_who_slept_gives_the_others_the_time_that_was_missed() -> None:
    peers = Peers(TIMEOUT)
    peers.heartbeat("a", "channel", 1, 0.0)
    assert beat(peers, 0, 2) == []
    # Stopped for a minute; the others' heartbeats have not been read yet.
    assert peers.expire(62.0, 1) == []
    assert beat(peers, 62, 1) == []
    assert beat(peers, 63, 3) == ["a"]


def test_a_long_interval_of_our_own_is_no_sleep() -> None:
    """Among hundreds of processes heartbeats are rare, and still the dead are forgotten."""
    peers = Peers(TIMEOUT)
    peers.heartbeat("a", "channel", 10, 0.0)
    assert beat(peers, 0, 60, interval=10) == ["a"]
