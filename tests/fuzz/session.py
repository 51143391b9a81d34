"""A session in any order of calls that its owner may make."""

from __future__ import annotations

from typing import Any

from tests.fuzz import fuzzing

with fuzzing.instrumented():
    from django_socketio.engineio import Frame, Reason, Session, Session3, SessionOptions
    from django_socketio.engineio.states import CLOSED, OPEN

OPTIONS = SessionOptions(max_packets=5, max_write_buffer=500)
STEPS = 12


def fuzz(data: Any) -> None:
    now = 0.0
    make = (Session, Session3)[data.ConsumeBool()]
    session = make("sid", OPTIONS, ("polling", "websocket")[data.ConsumeBool()], now)
    reason = None
    for _ in range(data.ConsumeIntInRange(1, 30)):
        step = data.ConsumeIntInRange(0, STEPS)
        if step == 0:
            session.receive(fuzzing.packet(data))
        elif step == 1:
            list(session.receive_payload(fuzzing.text(data, 8)))
        elif step == 2:
            session.receive_probe(fuzzing.packet(data))
        elif step == 3:
            session.send(Frame("4" + "x" * data.ConsumeIntInRange(0, 200)))
        elif step == 4:
            session.take()
        elif step == 5:
            session.take_one()
        elif step == 6:
            session.set_writable(data.ConsumeBool())
        elif step == 7:
            session.start_upgrade(now)
        elif step == 8:
            session.cancel_upgrade()
        elif step == 9:
            now += data.ConsumeIntInRange(0, 60)
            if isinstance(session, Session3) and session.pinged:
                session.answer_ping(now)
            due = session.tick(now)
            assert (due is None) == (session.state is CLOSED)
        elif step == 10:
            session.close(Reason.SERVER_CLOSE, now)
        elif step == 11:
            session.abort(Reason.TRANSPORT_ERROR)
        else:
            session.heard()
        assert session.buffered == sum(frame.size for frame in session.buffer)
        assert session.buffered >= 0
        assert session.unheard >= 0
        assert (session.close_reason is None) == (session.state is OPEN)
        if reason is not None:
            assert session.close_reason is reason  # the first one stays
        reason = session.close_reason
        if session.state is CLOSED:
            assert not session.buffer


if __name__ == "__main__":
    fuzzing.run(fuzz)
