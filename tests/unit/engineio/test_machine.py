"""A session driven in every order that its owner could drive it in."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from django_socketio.engineio import Frame, Probe
from django_socketio.engineio.reasons import Reason
from tests.unit.strategies import any_packets, any_texts

from .sessions import INTERVAL, TIMEOUT, messages, new_session, written

MAX_BUFFER = 500
REASONS = {"ping timeout", "parse error", "transport error", "transport close", "forced close"}
STATES = ["open", "closing", "closed"]
frames = st.builds(Frame, st.text(max_size=80).map("4{}".format) | st.binary(max_size=80))


class SessionMachine(RuleBasedStateMachine):
    """Sends, receives, lets time pass, upgrades and closes; watches what must hold after each."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.seen = "open"
        self.reason: str | None = None
        # What went in and has not come out, in its order; control packets are the session's own.
        self.sent: list[Frame] = []

    @initialize(transport=st.sampled_from(["polling", "websocket"]))
    def connect(self, transport: str) -> None:
        self.session = new_session(transport, max_write_buffer=MAX_BUFFER, max_packets=5)
        self.due = self.session.tick(0)

    # The owner

    @rule(frame=frames)
    def send(self, frame: Frame) -> None:
        was_open = self.session.state == "open"
        flush = self.session.send(frame)
        if was_open and self.session.state == "open":
            self.sent.append(frame)
            assert flush == self.session.writable
        else:
            assert not flush

    @precondition(lambda self: self.session.direct)
    @rule(size=st.integers(1, 200))
    def write_past_the_buffer(self, size: int) -> None:
        assert not self.session.buffer
        if written(self.session, size):
            ping = self.session.ping(self.now)
            assert ping is None or ping.data == "2"
            assert (self.session.state == "open") or self.session.detail == "slow client"

    @rule(writable=st.booleans())
    def set_writable(self, writable: bool) -> None:
        self.session.set_writable(writable)

    @rule()
    def take(self) -> None:
        writable, state = self.session.writable, self.session.state
        taken = self.session.take()
        assert writable or not taken
        assert state != "closed" or not taken
        self.check_order(taken)

    @rule()
    def take_one(self) -> None:
        frame = self.session.take_one()
        self.check_order([] if frame is None else [frame])

    @rule()
    def cancel_upgrade(self) -> None:
        self.session.cancel_upgrade()
        assert not self.session.upgrading

    @rule()
    def pause(self) -> None:
        self.session.paused = True

    @rule()
    def resume(self) -> None:
        self.session.resume(self.now)

    @rule()
    def close(self) -> None:
        self.session.close(Reason.FORCED_CLOSE, self.now)
        assert self.session.state != "open"

    @rule()
    def abort(self) -> None:
        self.session.abort(Reason.FORCED_CLOSE)
        assert self.session.state == "closed"

    # The client

    @rule(packet=any_packets)
    def receive(self, packet: str | bytes) -> None:
        was_open = self.session.state == "open"
        if self.session.expectant:
            self.session.grant_time(self.now)
        message = self.session.receive(packet)
        assert message is None or was_open

    @rule(payload=any_texts)
    def receive_payload(self, payload: str) -> None:
        messages(self.session, payload)

    @rule()
    def answer_the_ping(self) -> None:
        assert self.session.receive("3") is None

    @rule()
    def poll(self) -> None:
        self.session.heard()

    @rule()
    def start_upgrade(self) -> None:
        session = self.session
        may = session.state == "open" and session.transport == "polling" and not session.upgrading
        assert session.start_upgrade(self.now) == may

    @rule(packet=st.sampled_from(["2probe", "5"]) | any_packets)
    def probe(self, packet: str | bytes) -> None:
        session = self.session
        # A session that closes may send its last packets over the WebSocket.
        may = session.state != "closed" and session.upgrading
        was_open = session.state == "open"
        outcome = session.receive_probe(packet)
        assert may or outcome is Probe.REFUSED
        assert was_open or outcome is not Probe.PONG
        if outcome is Probe.UPGRADED:
            assert session.transport == "websocket"
        assert session.upgrading == (outcome is Probe.PONG)

    # Time

    @rule(seconds=st.floats(0, INTERVAL))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.due = self.session.tick(self.now)

    @precondition(lambda self: self.due is not None)
    @rule()
    def wait_until_it_is_due(self) -> None:
        assert self.due is not None
        self.now = max(self.now, self.due)
        self.due = self.session.tick(self.now)

    # What holds

    def check_order(self, taken: list[Frame]) -> None:
        """What comes out went in, in that order; the rest are the session's own packets."""
        for frame in taken:
            if self.sent and frame is self.sent[0]:
                self.sent.pop(0)
            else:
                assert frame.data in ("1", "2") or str(frame.data).startswith("0{")

    @invariant()
    def states_only_go_forward(self) -> None:
        state = self.session.state
        assert STATES.index(state) >= STATES.index(self.seen)
        self.seen = state
        assert (self.session.close_reason is None) == (state == "open")
        assert self.session.close_reason in (None, *REASONS)
        assert self.reason in (None, self.session.close_reason)
        self.reason = self.session.close_reason

    @invariant()
    def the_buffer_is_counted_and_bounded(self) -> None:
        session = self.session
        assert session.buffered == sum(frame.size for frame in session.buffer)
        # The session's own packets are not refused: OPEN, one PING and CLOSE.
        assert session.buffered <= MAX_BUFFER + 200

    @invariant()
    def a_closed_session_holds_nothing(self) -> None:
        session = self.session
        if session.state == "closed":
            assert not session.buffer
            assert not session.upgrading
            assert not session.drained
            self.sent.clear()

    @invariant()
    def writing_past_the_buffer_keeps_the_order(self) -> None:
        session = self.session
        if session.direct:
            assert session.writable
            assert not session.buffer
            assert (session.state, session.transport) == ("open", "websocket")

    @invariant()
    def a_deadline_is_never_far(self) -> None:
        due = self.session.tick(self.now)
        self.due = due
        if self.session.state == "closed":
            assert due is None
        else:
            assert due is not None
            assert due <= self.now + INTERVAL + TIMEOUT


SessionMachine.TestCase.settings = settings(max_examples=100, stateful_step_count=40)
TestSession = SessionMachine.TestCase
