"""What uvicorn gets where picows is missing, and what is said at the start."""

from __future__ import annotations

from tests.harness.wire import frame

from .client import TEXT, Client
from .conftest import Start

CURE = "pip install 'channels-socketio[speedups]'"
DEFLATE = "--ws-per-message-deflate needs another --ws"
WITHOUT_PICOWS = (
    "import runpy, sys; sys.modules['picows'] = None; "
    "runpy.run_module('tests.harness.own_end', run_name='__main__')"
)


def test_without_picows_uvicorn_uses_its_own_end(start: Start) -> None:
    server = start(program=("-c", WITHOUT_PICOWS))
    with Client(server) as client:
        client.accepted()
        client.sock.sendall(frame(b"hello"))
        assert client.read() == (TEXT, b"hello")
    assert server.process.log.count(CURE) == 1


def test_compression_that_was_asked_for_is_refused_in_words(start: Start) -> None:
    log = start("--ws-per-message-deflate", "true").process.log
    assert log.count(DEFLATE) == 1
    assert CURE not in log
    for options in ((), ("--ws-per-message-deflate", "false")):
        assert DEFLATE not in start(*options).process.log
