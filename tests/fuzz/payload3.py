"""Payloads of revision 3, which clients 2.x send: a session takes them or ends with a reason."""

from __future__ import annotations

from typing import Any

from tests.fuzz import fuzzing

with fuzzing.instrumented():
    from django_socketio.engineio import EngineIOError, Session3, SessionOptions
    from django_socketio.engineio.revision3 import decode_payload
    from django_socketio.engineio.states import CLOSED, OPEN

OPTIONS = SessionOptions(max_packets=20)


def fuzz(data: Any) -> None:
    payload = _payload(data)
    session = Session3("sid", OPTIONS, "polling", 0)
    messages = [message for message in session.receive_payload(payload) if message is not None]
    assert len(messages) <= 20
    assert session.state in (OPEN, CLOSED)
    assert (session.close_reason is None) == (session.state is OPEN)
    try:
        packets = list(decode_payload(payload, OPTIONS.max_packets))
    except EngineIOError:
        assert session.state is CLOSED
    else:
        assert len(messages) <= len(packets)


def _payload(data: Any) -> str | bytes:
    """A payload, text or binary; most of its lengths are right."""
    parts: list[Any] = []
    binary = data.ConsumeBool()
    for _ in range(data.ConsumeIntInRange(0, 30)):
        wrong = data.ConsumeIntInRange(-1, 1) if data.ConsumeIntInRange(0, 9) == 0 else 0
        if not binary:
            text = fuzzing.text(data, 4)
            units = len(text.encode("utf-16-le", "surrogatepass")) // 2
            parts.append(f"{units + wrong}:{text}")
            continue
        packet = fuzzing.packet(data)
        body = packet.encode("utf-8", "surrogatepass") if isinstance(packet, str) else packet
        length = bytes(map(int, str(max(0, len(body) + wrong))))
        parts.append(bytes([isinstance(packet, bytes)]) + length + b"\xff" + body)
    return b"".join(parts) if binary else "".join(parts)


if __name__ == "__main__":
    fuzzing.run(fuzz)
