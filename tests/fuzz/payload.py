"""Payloads of POSTs: a session takes them or ends with a reason."""

from __future__ import annotations

from typing import Any

from tests.fuzz import fuzzing

with fuzzing.instrumented():
    from django_socketio.engineio import EngineIOError, Session, SessionOptions, decode_payload
    from django_socketio.engineio.states import CLOSED, OPEN

OPTIONS = SessionOptions(max_packets=20)


def fuzz(data: Any) -> None:
    payload = fuzzing.text(data)
    session = Session("sid", OPTIONS, "polling", 0)
    messages = [message for message in session.receive_payload(payload) if message is not None]
    assert len(messages) <= 20
    assert session.state in (OPEN, CLOSED)
    assert (session.close_reason is None) == (session.state is OPEN)
    try:
        packets = decode_payload(payload, OPTIONS.max_packets)
    except EngineIOError:
        assert session.state is CLOSED
    else:
        assert len(messages) <= len(packets)


if __name__ == "__main__":
    fuzzing.run(fuzz)
