"""What a process tells of its sockets when it is asked with ``fetch_sockets``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .handshake import Handshake

# What a process shows of a session that waits for its client and is between two processes.
MOVING = "moving"


@dataclass(frozen=True, repr=False)
class SocketDescription:
    """A socket as it was when it was asked about; see :class:`~..server.operators.RemoteSocket`."""

    sid: str
    namespace: str
    rooms: frozenset[str]
    data: dict[str, Any]
    handshake: Handshake
    user_id: Any
    transport: str

    def as_dict(self, credentials: bool) -> dict[str, Any]:
        """Return everything as plain values, for another process.

        Without ``credentials`` the handshake has no cookies, no tokens and no ``auth``.
        """
        return {
            "sid": self.sid,
            "namespace": self.namespace,
            "rooms": list(self.rooms),
            "data": self.data,
            "handshake": self.handshake.as_dict(credentials),
            "user_id": self.user_id,
            "transport": self.transport,
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> SocketDescription:
        """Return a description from what :meth:`as_dict` returned, after it went through JSON."""
        handshake = values["handshake"]
        time = datetime.fromisoformat(handshake["time"].replace("Z", "+00:00"))
        return cls(
            **{
                **values,
                "rooms": frozenset(values["rooms"]),
                "handshake": Handshake(**{**handshake, "time": time}),
            }
        )
