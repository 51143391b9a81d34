"""What is particular about single channel layers: nothing else looks at a layer's name.

docs/layers.md says what each of them does, loses and costs.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any

# What a layer cannot do as channels_redis's pub/sub layer does it, and what helps, by the start of
# the path of its class.
SHORTCOMINGS = {
    "channels_nats.": (
        "keeps no order between rooms, and carries nothing larger than the server's max_payload",
        "Set max_payload above what you send, and capacity in its CONFIG to 10000.",
    ),
    "channels_postgres.": (
        "writes a row for each message and process, and keeps the groups of killed processes",
        "Send little with it; delete rows of channels_postgres_message that have expired.",
    ),
    "channels_rabbitmq.": (
        "drops what a full queue cannot hold, and does not notice a lost connection while it sends",
        "Set local_capacity and remote_capacity in its CONFIG to 10000.",
    ),
}

# Those that have put a channel into a group when group_add() returns, by the starts of the paths of
# their modules.
_JOINS_AT_ONCE = ("channels_postgres.", "channels_redis.core", "channels_valkey.core")
# Those that join groups in the order of the calls, where they have one server.
_JOINS_IN_ORDER = ("channels_redis.pubsub", "channels_valkey.pubsub")


def joins_at_once(backend: Any) -> bool:
    """Return whether what is sent to a group arrives once ``group_add()`` has returned.

    The pub/sub layers only have written SUBSCRIBE by then; Redis may read a PUBLISH of another
    process first.
    """
    return type(backend).__module__.startswith(_JOINS_AT_ONCE)


def joins_in_order(backend: Any) -> bool:
    """Return whether a join that holds proves those before it: they took one connection."""
    if not type(backend).__module__.startswith(_JOINS_IN_ORDER):
        return False
    options = vars(backend).get("_kwargs", {})
    return len(options.get("hosts") or ["the default"]) == 1


def must_finish(backend: Any) -> bool:
    """Return whether the layer's calls must not be cancelled.

    Those of channels_rabbitmq await one future until there is a connection. To cancel a call
    cancels that future, and then the layer never connects again.
    """
    return _package(backend) == "channels_rabbitmq"


def listen_again(backend: Any) -> Coroutine[Any, Any, None] | None:
    """Return what has a layer listen that hears no more; None where it does so by itself.

    The task in which channels_postgres listens ends with its connection, and nobody starts another.
    """
    if _package(backend) != "channels_postgres":
        return None
    listen = backend.listen_to_all_channels
    running = (getattr(task.get_coro(), "cr_code", None) for task in asyncio.all_tasks())
    return None if listen.__code__ in running else listen()


def forget_connections() -> None:
    """Leave a layer's connections to the parent, in a forked process.

    channels_postgres keeps its pool in a module, so that a new layer would have the old pool.
    """
    module: Any = sys.modules.get("channels_postgres.db")
    if module is not None:
        module.connection_pool = None


def _package(backend: Any) -> str:
    return type(backend).__module__.partition(".")[0]
