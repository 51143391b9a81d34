"""Sessions as people have them: they come, say something and leave, some of them without a word."""

from __future__ import annotations

from benchmarks.load import frames
from benchmarks.load.dialects import SocketIO
from benchmarks.load.polling import PollingClient, upgraded
from benchmarks.load.websocket import WebSocket

LEAVE = frames.text("41")
HELLO = SocketIO().echo("hello")


async def by_websocket(port: int) -> None:
    await _talk(await SocketIO().connect(port))


async def by_upgrade(port: int) -> None:
    await _talk(await upgraded(port))


async def by_polling(port: int) -> None:
    client = await PollingClient.open(port, "hello")
    await client.echo()
    await client.leave()


async def lost_websocket(port: int) -> None:
    """The network goes away."""
    socket = await upgraded(port)
    await HELLO.probe(socket)
    socket.transport.abort()


async def lost_polling(port: int) -> None:
    """The browser is closed: the server notices when no pong comes."""
    client = await PollingClient.open(port, "hello")
    await client.echo()
    client.close()


# In turn.
VISITS = (
    *(by_websocket, by_upgrade, by_polling, by_upgrade, lost_websocket),
    *(by_websocket, by_upgrade, by_polling, by_upgrade, lost_polling),
)


async def _talk(socket: WebSocket) -> None:
    await HELLO.probe(socket)
    await SocketIO().join().probe(socket)
    socket.send(LEAVE)
    await socket.close()
