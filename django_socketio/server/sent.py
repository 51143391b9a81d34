"""The signal ``event_sent``; called only where somebody listens.

It is sent once for each call, however many sockets get the event: a signal per socket would make a
broadcast as expensive as its receivers times its members.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from ..addressing.target import Target
from ..signals import event_sent
from ..sockets.socket import Socket
from .hubs import acting_hubs


def tell_sent(target: Target, event: str, args: Iterable[Any]) -> None:
    """Send the signal for what was sent to a target, from any thread.

    In a process without clients the receivers run at once, since the process may end soon.
    """
    about = _about(target, event, args)
    hub = next(iter(acting_hubs()), None)
    if hub is not None and (hub.serves or _has_loop()):
        hub.local.sent_news.put(event_sent, about)
    elif not _has_loop():
        event_sent.send_robust(None, **about)


def tell_sent_to(socket: Socket, event: str, args: Iterable[Any]) -> None:
    """Send the signal for what a consumer has sent to its own client, from any thread."""
    about = _about(Target(socket.namespace, (socket.sid,)), event, args)
    about["socket"] = socket.consumer
    socket.local.sent_news.put(event_sent, about, socket.client.thread_sensitive)


def _about(target: Target, event: str, args: Iterable[Any]) -> dict[str, Any]:
    return {
        "namespace": target.namespace,
        "event": event,
        "args": list(args),
        "rooms": target.rooms,
        "exclude": target.exclude,
        "socket": None,
    }


def _has_loop() -> bool:
    """Return whether a loop runs in this thread, which no receiver may then hold up."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
