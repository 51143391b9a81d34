"""What a test sees of the traffic on Redis: the commands that it was sent."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django_socketio.cluster.messages import group_name
from tests.cluster.members import NAMESPACE
from tests.harness.redis import Redis

# The group of all processes, for heartbeats.
EVERYONE = "socketio.everyone"


def room_group(room: str) -> str:
    """The Channels group of a room."""
    return group_name(NAMESPACE, "room", room)


class Watch:
    """The commands that have arrived."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._commands: list[dict[str, Any]] = []

    def listen(self, ready: threading.Event, end: str) -> None:
        """Note commands until one says that this is the end."""
        with self._redis.client.monitor() as monitor:
            self._redis.client.ping()  # over another connection, which is made before it counts
            monitor.next_command()
            ready.set()
            while end not in (command := monitor.next_command())["command"]:
                self._commands.append(command)

    def about(self, what: str) -> list[str]:
        """The names of the commands that clients sent and that mention something."""
        return [
            command["command"].split(" ", 1)[0].upper()
            for command in self._commands
            if command["client_type"] != "lua" and what in command["command"]
        ]

    def deliveries(self, group: str) -> int:
        """How many messages Redis had to hand over for what was sent to a group."""
        delivered, ours = 0, False
        for command in self._commands:
            name = command["command"].split(" ", 1)[0].upper()
            if command["client_type"] != "lua":
                ours = group in command["command"]
                if ours and name == "PUBLISH":
                    channel = f"asgi__group__{group}"
                    delivered += dict(self._redis.client.pubsub_numsub(channel))[channel]
            elif ours and name == "ZADD":
                delivered += 1
        return delivered

    def names(self) -> set[str]:
        """All commands, without what each process does all the time: heartbeats and receiving."""
        idle = (
            "ZREMRANGEBYSCORE",
            "BZPOPMIN",
            "ZPOPMIN",
            "EVAL",
            "MULTI",
            "EXEC",
            "PING",
            "ZRANGE",
        )
        return {
            name
            for command in self._commands
            if command["client_type"] != "lua" and EVERYONE not in command["command"]
            if (name := command["command"].split(" ", 1)[0].upper()) not in idle
            if "$inflight" not in command["command"]
        }


@contextmanager
def watching(redis: Redis) -> Iterator[Watch]:
    """Notes the commands that arrive while the block runs."""
    watch, ready, end = Watch(redis), threading.Event(), f"end {uuid.uuid4()}"
    thread = threading.Thread(target=watch.listen, args=(ready, end), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield watch
    finally:
        redis.client.echo(end)
        thread.join(10)
