"""How picows is driven behind an upgrade that somebody else has answered.

picows reads the upgrade request itself. uvicorn's HTTP protocol has read it before, and the
application may answer it much later; so picows is given a request that never changes
(:data:`_REQUEST`), once the WebSocket is accepted, and its answer is dropped. From then on it reads
frames into a buffer of its own (:class:`asyncio.BufferedProtocol`).

Everything that depends on the inside of picows is here: ``WSProtocol`` is in its module, and its
arguments are those of :func:`picows.ws_create_server`, but it is not documented.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from picows import WSAutoPingStrategy, WSListener
from picows.picows import WSProtocol  # type: ignore[attr-defined]
from picows.version import __version__

# Refused here, where another end can still be taken, and not when the first client comes.
if __version__.split(".", 1)[0] != "2":
    raise ImportError(f"picows {__version__} is not known, 2.x is")

# At most so many bytes are read at once: some thousand frames, which take a few milliseconds.
CHUNK = 32768

_REQUEST = (
    b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
_get_buffer: Callable[[Any, int], memoryview] = WSProtocol.get_buffer


class _Log:
    """The logger that picows is given; it would make one for each connection of a real one.

    What clients do wrong is no error of the server. picows logs it, sends a CLOSE, reads on for ten
    milliseconds, and may then deliver what it has refused. So what it logs is taken as the news.
    """

    __slots__ = ("_violated",)

    def __init__(self, violated: Callable[[int, str], None]) -> None:
        self._violated = violated

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802 - named by logging
        return False

    def info(self, *args: Any, **kwargs: Any) -> None:
        pass

    debug = warning = log = info

    def error(self, message: str, error: Any = None) -> None:
        """Take a violation: the arguments of picows' exception are a close code and a reason."""
        code, reason = error if isinstance(error, tuple) and len(error) == 2 else (1002, "")
        self._violated(int(code), reason)

    def exception(self, message: str, *args: Any) -> None:
        """Log what nobody expects: an error in a callback of ours."""
        logging.getLogger("uvicorn.error").error(message, *args, exc_info=True)  # noqa: LOG014
        self._violated(1011, "")


class _Below:
    """What picows takes for the transport, and for its socket.

    A Unix socket would raise an error for TCP's options. On TCP uvicorn's loop has set what
    matters. picows does not close the connection: whoever is told of violations does.
    """

    __slots__ = ("_transport", "abort", "close", "get_write_buffer_size", "write", "writelines")

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self.get_write_buffer_size = transport.get_write_buffer_size
        self.write = transport.write
        self.writelines = transport.writelines
        self.abort = transport.abort
        self.close = _nothing

    def get_extra_info(self, name: str) -> Any:
        return self if name == "socket" else self._transport.get_extra_info(name)

    def fileno(self) -> int:
        return int(self._transport.get_extra_info("socket").fileno())

    def setsockopt(self, *args: Any) -> None:
        pass

    def getsockopt(self, *args: Any) -> int:
        return 0


class Wire(WSProtocol):  # type: ignore[misc, unused-ignore]
    """Reads the frames of an accepted WebSocket, and calls ``listener`` with them.

    ``max_size`` is the largest frame, in bytes. ``violated`` is called where picows sends a CLOSE
    because of what the client sent, with its code and reason.
    """

    def __init__(
        self,
        transport: Any,
        listener: WSListener,
        max_size: int,
        violated: Callable[[int, str], None],
    ) -> None:
        super().__init__(
            None,  # host and port
            None,  # path
            False,  # the server's side
            lambda request: listener,
            _Log(violated),
            True,  # an exception in a callback ends the connection
            None,  # no time limit for the handshake
            False,  # pings are ours,
            0,
            0,
            WSAutoPingStrategy.PING_WHEN_IDLE,
            False,  # and pongs: a client may ping without reading
            max_size,
            None,  # no headers
            0,  # the smallest read buffer: most connections are idle
        )
        below = _Below(transport)
        self.connection_made(below)
        below.write = _nothing
        self.feed(_REQUEST)
        below.write = transport.write

    def get_buffer(self, size_hint: int) -> memoryview:
        """Return where the loop shall put what it reads."""
        buffer = _get_buffer(self, size_hint)
        return buffer if len(buffer) <= CHUNK else buffer[:CHUNK]

    def feed(self, data: bytes) -> None:
        """Take bytes that were read before."""
        while data:
            buffer = self.get_buffer(-1)
            size = min(len(buffer), len(data))
            buffer[:size] = data[:size]
            self.buffer_updated(size)
            data = data[size:]


def _nothing(data: bytes = b"") -> None:
    """Take the place of ``write`` for picows' answer to its request: the client has ours."""
