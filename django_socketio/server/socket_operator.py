"""A consumer's own socket with options, such as ``self.timeout(5)``."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from ..packets import EncodedPacket
from ..signals import event_sent
from ..sockets.socket import Socket
from .hubs import must_not_block
from .operators import Operator
from .sent import tell_sent_to


class SocketOperator(Operator):
    """A consumer's own socket with options, such as ``self.timeout(5)`` or ``self.volatile``.

    ``emit``, ``send``, ``call`` and ``acall`` speak to this socket, directly and in this process.
    ``to``, ``broadcast``, ``exclude`` and ``of`` return an operator for other sockets with the same
    options. See https://socket.io/docs/v4/emitting-events/
    """

    __slots__ = ("_socket",)

    def __init__(self, socket: Socket) -> None:
        super().__init__(socket.namespace, rooms=(socket.sid,))
        self._socket = socket

    @property
    def broadcast(self) -> Operator:
        """An operator for all sockets of the namespace but this one."""
        others = Operator(self._namespace, exclude=(self._socket.sid,))
        others._delivery, others._timeout = self._delivery, self._timeout
        others._on_commit, others._using = self._on_commit, self._using
        return others

    @property
    def local(self) -> Operator:  # type: ignore[override]
        """An operator for all sockets of the namespace in this process but this one."""
        return self.broadcast.local

    @property
    def everywhere(self) -> Operator:
        """An operator for all sockets of all namespaces."""
        return self.broadcast.everywhere

    def of(self, namespace: str | type) -> Operator:
        """Return an operator for all sockets of another namespace."""
        return self.broadcast.of(namespace)

    def to(self, *rooms: Any) -> Operator:
        """Return an operator for the members of any of these rooms but this socket."""
        return self.broadcast.to(*rooms)

    def exclude(self, *rooms: Any) -> Operator:
        """Return an operator for all sockets but this one and the members of these rooms."""
        return self.broadcast.exclude(*rooms)

    def emit(self, event: str, *args: Any) -> Awaitable[Any]:
        """Send an event to the socket; see :meth:`.SocketIOConsumer.emit`."""
        packet = self._encode(event, args)
        if event_sent.receivers:
            return self._when_due(lambda: self._send_and_tell(packet, event, args))
        return self._when_due(lambda: self._socket.send(packet, self._delivery))

    def _send_and_tell(
        self, packet: EncodedPacket, event: str, args: tuple[Any, ...]
    ) -> Awaitable[Any]:
        sent = self._socket.send(packet, self._delivery)
        tell_sent_to(self._socket, event, args)
        return sent

    def call(self, event: str, *args: Any) -> Any:
        """Send an event and wait for the client's acknowledgement.

        Returns and raises what :meth:`.SocketIOConsumer.call` does.
        """
        must_not_block("acall")
        return self._socket.local.runtime.block(self.acall(event, *args))

    async def acall(self, event: str, *args: Any) -> Any:
        """As :meth:`call`, awaited."""
        self._refuse_on_commit("acall")
        socket = self._socket
        ack_id = next(socket.local.ack_ids)
        packet = self._encode(event, args, ack_id)
        if event_sent.receivers:
            tell_sent_to(socket, event, args)
        asking = socket.ask(packet, ack_id, self._delivery, self._seconds())
        return (await socket.local.runtime.on_loop(asking)).one()
