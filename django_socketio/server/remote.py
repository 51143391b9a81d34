"""A socket as ``fetch_sockets`` finds it: a description, and what can be done to it."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..addressing.handshake import Handshake
from ..logs import safe

if TYPE_CHECKING:
    from .consumers import SocketIOConsumer
    from .operators import Operator


@dataclass(frozen=True, eq=False, repr=False)
class RemoteSocket:
    """A socket of this or another process, as it was when it was fetched.

    ``rooms`` is a frozenset of text, ``data`` what its consumer keeps there, ``user_id`` its user's
    primary key (None for an anonymous one), ``transport`` "polling" or "websocket".
    """

    sid: str
    namespace: Operator
    rooms: frozenset[str]
    data: dict[str, Any]
    handshake: Handshake
    user_id: Any
    transport: str

    def __repr__(self) -> str:
        """Without ``handshake`` and ``data``: they may hold what must not get into a log."""
        return (
            f"<RemoteSocket {self.sid} namespace={safe(self.namespace.name)} "
            f"user_id={self.user_id!r} transport={self.transport}>"
        )

    @classmethod
    def of(cls, socket: SocketIOConsumer) -> RemoteSocket:
        """Describe a local socket."""
        return cls(
            sid=socket.sid,
            namespace=socket.namespace,
            rooms=socket.rooms,
            data=dict(socket.data),
            handshake=socket.handshake,
            user_id=getattr(socket.user, "pk", None),
            transport=socket.transport,
        )

    def as_dict(self) -> dict[str, Any]:
        """Everything about the socket as plain values, for another process."""
        return {
            "sid": self.sid,
            "namespace": self.namespace.name,
            "rooms": list(self.rooms),
            "data": self.data,
            "handshake": self.handshake.as_dict(),
            "user_id": self.user_id,
            "transport": self.transport,
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> RemoteSocket:
        """The other way round."""
        from .operators import Operator

        handshake = values["handshake"]
        handshake["time"] = datetime.fromisoformat(handshake["time"].replace("Z", "+00:00"))
        return cls(
            **{
                **values,
                "namespace": Operator(values["namespace"]),
                "rooms": frozenset(values["rooms"]),
                "handshake": Handshake(**handshake),
            }
        )

    @property
    def _operator(self) -> Operator:
        return self.namespace.to(self.sid)

    def emit(self, event: str, *args: Any) -> Awaitable[Any]:
        """Send an event to the socket."""
        return self._operator.emit(event, *args)

    def timeout(self, seconds: float) -> RemoteSocket:
        """Wait at most so long for an acknowledgement."""
        return replace(self, namespace=self.namespace.timeout(seconds))

    def call(self, event: str, *args: Any) -> Any:
        """Send an event and wait for the acknowledgement: None, one value or a tuple.

        Raises AckTimeout, or Disconnected when the socket has left.
        """
        from .hubs import block, must_not_block

        must_not_block("acall")
        return block(lambda: self.acall(event, *args))

    async def acall(self, event: str, *args: Any) -> Any:
        """As :meth:`call`, awaited."""
        return (await self._operator._ask(event, args)).one()

    def join(self, *rooms: Any) -> Awaitable[Any]:
        """Make the socket enter rooms."""
        return self._operator.sockets_join(*rooms)

    def leave(self, *rooms: Any) -> Awaitable[Any]:
        """Make the socket leave rooms."""
        return self._operator.sockets_leave(*rooms)

    def close(self, transport: bool = False) -> Awaitable[Any]:
        """Make the client leave the namespace; with ``transport`` end its whole connection."""
        return self._operator.disconnect_sockets(close=transport)
