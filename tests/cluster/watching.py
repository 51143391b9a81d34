"""What a test sees of the traffic on Redis: the commands that it was sent."""

from __future__ import annotations

import threading
import uuid
from types import TracebackType
from typing import Any

from django_socketio.cluster import group_name
from tests.cluster.members import NAMESPACE
from tests.harness.redis import Redis
from tests.harness.waiting import until

# The group of all processes, for heartbeats.
EVERYONE = "socketio.everyone"


def room_group(room: str) -> str:
    """The Channels group of a room."""
    return group_name(NAMESPACE, "room", room)


class Watch:
    """The commands that arrive while the block runs, each as a line of text."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._commands: list[dict[str, Any]] = []
        self._ready = threading.Event()

    def __enter__(self) -> Watch:
        self._end = f"end {uuid.uuid4()}"
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def _listen(self) -> None:
        with self._redis.client.monitor() as monitor:
            self._ready.set()
            while True:
                command = monitor.next_command()
                if self._end in command["command"]:
                    return
                self._commands.append(command)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self._redis.client.echo(self._end)
        until(lambda: not self._thread.is_alive(), "the end of MONITOR's output")

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
