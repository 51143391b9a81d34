"""A process that serves nobody, as a Celery worker or a script: ``python -m ... HOW ROOM TOTAL``.

It prints "sent" when it has done its work, and a line of JSON where there is something to tell.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import threading
from typing import Any

import django

django.setup()

from django_socketio import io  # noqa: E402 - Django comes first, as in a worker process
from django_socketio.server.operators import RemoteSocket  # noqa: E402


def say(value: Any) -> None:
    print(value if isinstance(value, str) else json.dumps(value), flush=True)  # noqa: T201


def numbers(room: str, total: int) -> None:
    """In a plain loop; then it stays, as a worker process does."""
    for number in range(total):
        io.of("/fleet").to(room).emit("number", number)
    say("sent")
    signal.pause()


def threads(room: str, total: int) -> None:
    """Four threads at the same time."""

    def send(name: str) -> None:
        for number in range(total // 4):
            io.of("/fleet").to(room).emit("number", name, number)

    running = [threading.Thread(target=send, args=(name,)) for name in "abcd"]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    say("sent")
    signal.pause()


def unawaited(room: str, total: int) -> None:
    """In a coroutine, without awaiting anything; the process ends at once."""

    async def main() -> None:
        for number in range(total):
            io.of("/fleet").to(room).emit("number", number)

    asyncio.run(main())
    say("sent")


def awaited(room: str, total: int) -> None:
    """In a coroutine, each awaited; the process is killed as soon as the last one is."""

    async def main() -> None:
        for number in range(total):
            await io.of("/fleet").to(room).emit("number", number)
        os.kill(os.getpid(), signal.SIGKILL)

    asyncio.run(main())


def killed(room: str, total: int) -> None:
    """In a plain loop; killed as soon as the last call has returned."""
    for number in range(total):
        io.of("/fleet").to(room).emit("number", number)
    os.kill(os.getpid(), signal.SIGKILL)


def binary(room: str, total: int) -> None:
    """What is sent as attachments, where the clients take those."""
    io.of("/lab").to(room).emit("said", bytes(range(total)), "text")
    say("sent")


def forks(room: str, total: int) -> None:
    """Parent and children send, before and after the fork."""
    target = io.of("/fleet").to(room)
    target.emit("number", "parent", 0)
    children = []
    for child in range(2):
        pid = os.fork()
        if pid == 0:
            for number in range(total):
                target.emit("number", f"child {child}", number)
            sys.exit()
        children.append(pid)
    for number in range(1, total):
        target.emit("number", "parent", number)
    for pid in children:
        assert os.waitpid(pid, 0)[1] == 0
    say("sent")


def questions(room: str, total: int) -> None:
    """Ask the servers and their clients."""
    target = io.of("/fleet").to(room).timeout(10)
    found: list[RemoteSocket] = target.fetch_sockets()
    say(
        {
            "sids": sorted(socket.sid for socket in found),
            "answers": target.call("question", total),
            "one": found[0].timeout(10).call("question", total),
            "count": target.count(),
            "processes": io.of("/fleet").timeout(10).server_side_call("event"),
        }
    )


def acts(room: str, total: int) -> None:
    """Move sockets about, and disconnect them."""
    target = io.of("/fleet").to(room)
    target.sockets_join(f"{room} 2")
    io.of("/fleet").to(f"{room} 2").emit("number", 1)
    target.sockets_leave(f"{room} 2")
    io.of("/fleet").to(f"{room} 2").emit("number", 2)
    for socket in target.fetch_sockets():
        socket.emit("number", 3)
    target.disconnect_sockets()
    say("sent")


def widely(room: str, total: int) -> None:
    """To all namespaces, and answers one by one."""
    target = io.everywhere.to(room).timeout(10)
    target.emit("number", total)

    async def collect() -> list[tuple[str, Any]]:
        return [item async for item in target.answers("question", total)]

    found = target.fetch_sockets()
    sids = sorted(socket.sid for socket in found)
    say({"sids": sids, "missing": found.missing, "answers": asyncio.run(collect())})


if __name__ == "__main__":
    globals()[sys.argv[1]](sys.argv[2], int(sys.argv[3]))
