"""The protocol's error answers: code, text and HTTP status as in the Node server."""

from __future__ import annotations

import pytest

from django_socketio.engineio import EngineIOError, ErrorCode, HandshakeRefused


@pytest.mark.parametrize(
    ("code", "number", "message", "status"),
    [
        (ErrorCode.UNKNOWN_TRANSPORT, 0, "Transport unknown", 400),
        (ErrorCode.UNKNOWN_SID, 1, "Session ID unknown", 400),
        (ErrorCode.BAD_HANDSHAKE_METHOD, 2, "Bad handshake method", 400),
        (ErrorCode.BAD_REQUEST, 3, "Bad request", 400),
        (ErrorCode.FORBIDDEN, 4, "Forbidden", 403),
        (ErrorCode.UNSUPPORTED_PROTOCOL_VERSION, 5, "Unsupported protocol version", 400),
    ],
)
def test_an_error_code(code: ErrorCode, number: int, message: str, status: int) -> None:
    assert (int(code), code.message, code.status) == (number, message, status)
    refused = HandshakeRefused(code)
    assert (refused.code, refused.status, str(refused)) == (code, status, message)


def test_every_code_has_a_text() -> None:
    assert [code.message for code in ErrorCode] == [
        str(HandshakeRefused(code)) for code in ErrorCode
    ]
    assert len({code.message for code in ErrorCode}) == 6


def test_a_refusal_may_have_a_status_of_its_own() -> None:
    refused = HandshakeRefused(ErrorCode.BAD_REQUEST, status=503)
    assert (refused.status, refused.code) == (503, ErrorCode.BAD_REQUEST)
    assert isinstance(refused, EngineIOError)
