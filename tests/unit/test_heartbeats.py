"""Sessions on the wheel: few timers, however many sessions, and timeouts that are exact."""

from __future__ import annotations

from random import Random

import pytest

from django_socketio.engineio import Session, SessionOptions
from django_socketio.runtime.timers import Wheel
from tests.unit.runtime.test_timers import FakeLoop

OPTIONS = SessionOptions()
# As in sockets/clients.py.
RESOLUTION = 1 / 20
SESSIONS = 2000


class Peer:
    """A session whose client answers each ping at once until ``silent_from``."""

    def __init__(self, loop: FakeLoop, wheel: Wheel, silent_from: float) -> None:
        self.slot: int | None = None
        self.loop = loop
        self.silent_from = silent_from
        self.pinged: list[float] = []
        self.ended: float | None = None
        self.session = Session("sid", OPTIONS, "websocket", loop.time())
        self.session.set_writable(True)
        self.session.take()
        wheel.schedule(self, self.session.next_ping)

    def tick(self, now: float) -> float | None:
        due = self.session.tick(now)
        if due is None:
            self.ended = now
        elif self.session.take():
            self.pinged.append(now)
            if now < self.silent_from:
                self.session.receive("3")
        return due


def begin(silent_from: float = 1e9) -> tuple[FakeLoop, Wheel, list[Peer]]:
    """Many sessions that begin within a minute, at any moment."""
    loop = FakeLoop()
    wheel = Wheel(loop, RESOLUTION)  # type: ignore[arg-type]
    random = Random(1)
    peers = []
    for moment in sorted(random.uniform(1000, 1060) for _ in range(SESSIONS)):
        loop.advance(moment)
        peers.append(Peer(loop, wheel, silent_from))
    return loop, wheel, peers


def test_however_many_sessions_share_a_few_timers() -> None:
    loop, wheel, peers = begin()
    # The sessions are at one of so many pings, or wait for the end of one of so many timeouts.
    most = OPTIONS.ping_interval + OPTIONS.ping_timeout + 2
    assert len(wheel) <= most
    for seconds in range(1, 200):
        loop.advance(1060 + seconds)
        assert len(wheel) <= most
    assert all(peer.session.state == "open" for peer in peers)


def test_pings_come_in_time() -> None:
    loop, _, peers = begin()
    loop.advance(1300)
    for peer in peers:
        gaps = [
            later - earlier for earlier, later in zip(peer.pinged, peer.pinged[1:], strict=False)
        ]
        assert len(gaps) >= 8
        assert all(OPTIONS.ping_interval - 1 - RESOLUTION <= gap for gap in gaps)
        assert all(gap <= OPTIONS.ping_interval + RESOLUTION for gap in gaps)


@pytest.mark.parametrize("silent_from", [0, 1100, 1177.3])
def test_timeouts_come_in_time(silent_from: float) -> None:
    loop, _, peers = begin(silent_from)
    loop.advance(1400)
    for peer in peers:
        assert peer.ended is not None
        late = peer.ended - peer.pinged[-1] - OPTIONS.ping_timeout
        assert -1e-6 <= late <= 2 * RESOLUTION
