"""Our application in this process, on a loop of its own, and what it must not leave behind."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Coroutine
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.fuzz.settings")
django.setup()

from django_socketio import SocketIOConsumer, event, register  # noqa: E402 - needs the set-up
from django_socketio.asgi import SocketIOApplication  # noqa: E402
from django_socketio.engineio import Reason  # noqa: E402
from django_socketio.server.hubs import current_hub  # noqa: E402
from tests.harness.inprocess import make_scope, nothing_else  # noqa: E402

# Inputs between looks at what is left.
OFTEN = 500
TURNS = 30


@register("/")
@register("/a")
class Consumer(SocketIOConsumer):
    @event
    async def echo(self, *args: Any) -> Any:
        return args

    @event("*")
    async def anything(self, name: str, *args: Any) -> None:
        self.emit(name, *args)

    @event(concurrent=True)
    async def e(self, *args: Any) -> None:
        await asyncio.sleep(0)


class Failure(logging.Handler):
    """A traceback in our log is a mistake of ours: no input may cause one."""

    def __init__(self, expected: tuple[type[Exception], ...]) -> None:
        super().__init__(logging.ERROR)
        self.expected = expected
        self.found = ""

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and not isinstance(record.exc_info[1], self.expected):
            self.found = self.format(record)


def failure_of_log(*expected: type[Exception]) -> Failure:
    """What is noted in our log from now on, which goes nowhere else; but for exceptions that are
    ``expected``.
    """
    failure = Failure(expected)
    logger = logging.getLogger("django_socketio")
    logger.addHandler(failure)
    logger.propagate = False
    logger.setLevel(logging.ERROR)
    return failure


class Server:
    """See the module's docstring."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.application = SocketIOApplication(nothing_else, middleware=None)
        self.failure = failure_of_log()
        self._inputs = 0

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Run one input. Raises AssertionError for a traceback in the log, or what was left."""
        self.loop.run_until_complete(self._run(work))

    async def _run(self, work: Coroutine[Any, Any, None]) -> None:
        await asyncio.wait_for(work, 5)
        for client in list(current_hub().clients.values()):
            client.abort(Reason.TRANSPORT_CLOSE)
        for _ in range(TURNS):
            await asyncio.sleep(0)
        assert not self.failure.found, self.failure.found
        self._inputs += 1
        if self._inputs % OFTEN == 0:
            hub = current_hub()
            left = (len(hub.clients), len(hub.runtime.tasks), dict(hub.local.namespaces))
            assert left == (0, 0, {}), left
            assert hub.clients.pending == 0

    async def request(
        self, method: str, query: str, headers: list[tuple[bytes, bytes]], body: bytes
    ) -> tuple[int, bytes]:
        """The answer to an HTTP request; a poll that waits is given up: status 200."""
        status, answer = 0, b""
        pieces = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Any:
            return pieces.pop() if pieces else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            nonlocal status, answer
            status = message.get("status", status)
            answer += message.get("body", b"")

        scope = make_scope("http", query.encode(), headers, method=method, scheme="http")
        task = asyncio.ensure_future(self.application(scope, receive, send))
        for _ in range(TURNS):
            await asyncio.sleep(0)
            if task.done():
                break
        else:
            for client in list(current_hub().clients.values()):
                client.transport.flush()
                client.abort(Reason.TRANSPORT_CLOSE)
            await task
        task.result()
        return status or 200, answer

    async def websocket(self, messages: list[str | bytes], code: int) -> None:
        """A WebSocket that sends ``messages`` and goes with ``code``."""
        kinds = ("text", "bytes")
        inbox: list[Any] = [{"type": "websocket.connect"}]
        inbox += [
            {"type": "websocket.receive", kinds[isinstance(packet, bytes)]: packet}
            for packet in messages
        ]
        inbox.append({"type": "websocket.disconnect", "code": code})
        inbox.reverse()

        async def receive() -> Any:
            await asyncio.sleep(0)
            return inbox.pop() if inbox else {"type": "websocket.disconnect", "code": 1006}

        async def send(message: Any) -> None: ...

        scope = make_scope(
            "websocket", b"EIO=4&transport=websocket", [(b"host", b"testserver")], scheme="ws"
        )
        await self.application(scope, receive, send)
