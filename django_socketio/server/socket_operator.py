"""One socket itself, with operators: ``self.timeout(5).acall(...)``."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from ..sockets.socket import Socket
from .hubs import must_not_block
from .operators import Operator


class SocketOperator(Operator):
    """One socket itself, with operators: ``self.timeout(5).acall(...)``.

    ``to``, ``broadcast`` and ``exclude`` turn to the others.
    """

    __slots__ = ("_socket",)

    def __init__(self, socket: Socket) -> None:
        super().__init__(socket.namespace, rooms=(socket.sid,))
        self._socket = socket

    @property
    def broadcast(self) -> Operator:
        """Everyone in the namespace but the socket."""
        others = Operator(self._namespace, exclude=(self._socket.sid,))
        others._delivery, others._timeout = self._delivery, self._timeout
        others._on_commit = self._on_commit
        others._local = self._local
        return others

    def of(self, namespace: str) -> Operator:
        """Everyone in another namespace."""
        return self.broadcast.of(namespace)

    def to(self, *rooms: Any) -> Operator:
        """The members of any of these rooms but the socket."""
        return self.broadcast.to(*rooms)

    def exclude(self, *rooms: Any) -> Operator:
        """Everyone but the socket and the members of these rooms."""
        return self.broadcast.exclude(*rooms)

    def emit(self, event: str, *args: Any) -> Awaitable[Any]:
        """Send an event to the socket."""
        packet = self._encode(event, args)
        return self._when_due(lambda: self._socket.send(packet, self._delivery))

    def call(self, event: str, *args: Any) -> Any:
        """Send an event and wait for the client's acknowledgement.

        Returns None, one value or a tuple. Raises AckTimeout, or Disconnected when the client
        leaves.
        """
        must_not_block("acall")
        return self._socket.local.runtime.block(self.acall(event, *args))

    async def acall(self, event: str, *args: Any) -> Any:
        """As :meth:`call`, awaited."""
        self._now("acall")
        socket = self._socket
        ack_id = next(socket.local.ack_ids)
        packet = self._encode(event, args, ack_id)
        asking = socket.ask(packet, ack_id, self._delivery, self._seconds())
        return (await socket.local.runtime.on_loop(asking)).one()
