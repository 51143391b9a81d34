"""The signal of an upgrade; called only where somebody listens."""

from __future__ import annotations

from ..runtime.announcements import announce
from ..signals import transport_upgraded
from .connection import Connection
from .endpoint import CONNECTED


def tell_upgraded(client: Connection) -> None:
    """Send ``transport_upgraded``, in a task."""
    sockets = [one.consumer for one in client.sockets.values() if one.state is CONNECTED]
    about = {"scope": client.scope, "transport": client.session.transport, "sockets": sockets}
    runtime, sensitive = client.local.runtime, client.thread_sensitive
    runtime.spawn(
        announce(
            runtime, transport_upgraded, None, about, owner=client, sensitive=sensitive, hook=True
        ),
        client,
    )
