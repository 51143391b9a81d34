"""A WebSocket whose server calls us with its frames, and that we write by a call.

That is the ASGI extension ``django_socketio.direct``, which our own servers offer; see
docs/architecture.md. Between a frame and its handler there is no queue, task or coroutine.
"""

from __future__ import annotations

import asyncio
from asyncio.tasks import _enter_task, _leave_task
from collections.abc import Callable, Coroutine
from contextvars import Context, copy_context
from typing import Any, Protocol

from ..engineio import Frame, Reason
from ..runtime.awaitables import DONE
from ..runtime.steps import FINISHED, resume_in, start
from ..runtime.turns import MESSAGE, TURN, next_turn
from ..sockets.stalls import stall
from .closing import TOO_BIG
from .gateway import Gateway
from .messages import is_larger
from .websocket import WebSocketConsumer

EXTENSION = "django_socketio.direct"
VERSION = 1


class Line(Protocol):
    """What the extension's ``take(receiver)`` returns once the WebSocket is accepted.

    From then on the application uses neither ASGI's ``receive`` nor its ``send``. All calls are
    made on the loop's thread; the server makes its own outside of any task.
    """

    # Write what pack() returned: ``send(*wire)``. A closed connection drops it.
    send: Callable[..., None]
    writable: bool

    def pack(self, data: str | bytes) -> tuple[Any, ...]:
        """Return what sends a message over any WebSocket of this server."""

    def pause(self) -> None:
        """Call the receiver no more, and let the client wait."""

    def resume(self) -> None:
        """Call the receiver again, but not before this call has returned."""

    def close(self, code: int) -> None:
        """Close the WebSocket behind what was sent; only ``closed`` may still be called."""


class Receiver(Protocol):
    """What the application gives to ``take``."""

    def received(self, packet: str | bytes) -> None:
        """Take a message."""

    def pause_writing(self) -> None:
        """Take the word that the client does not read; what is sent all the same is kept."""

    def resume_writing(self) -> None:
        """Take the word that the client reads again."""

    def closed(self, code: int) -> None:
        """Take the end, behind the last message."""


def consumer_for(scope: dict[str, Any], gateway: Gateway) -> WebSocketConsumer:
    """Return what serves a WebSocket: by calls if its server can do that, else by ASGI alone."""
    offer = scope.get("extensions", {}).get(EXTENSION)
    if offer is None or offer["version"] != VERSION:
        return WebSocketConsumer(gateway)
    return DirectConsumer(gateway)


class _Worker:
    """A task, and the context in which it runs what waits.

    A handler begins in a callback of the server, as if in this task: ``run`` runs it in the
    context, and for :func:`asyncio.current_task` and for time limits it is the task's. If it has to
    wait, the task takes it over.
    """

    __slots__ = ("_loop", "_waited_for", "_wake", "run", "task", "work")

    def __init__(self, loop: asyncio.AbstractEventLoop, context: Context) -> None:
        self._loop = loop
        self.run = context.run
        self.task: asyncio.Task[Any]
        self.work: Coroutine[Any, Any, None] | None = None
        self._waited_for: Any = None
        self._wake: asyncio.Future[None] | None = None

    def take(self, work: Coroutine[Any, Any, None], waited_for: Any) -> None:
        """Have the task go on with what has begun in its name."""
        self.work, self._waited_for = work, waited_for
        self.wake()

    def wake(self) -> None:
        """Let the task look whether it is still needed."""
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    def has_work(self) -> bool:
        """Whether it has been given work with which it has not gone on yet."""
        return self.work is not None

    async def go_on(self) -> None:
        """Wait until there is work or :meth:`wake` is called, and finish the work."""
        failure: BaseException | None = None
        if not self.has_work():
            self._wake = self._loop.create_future()
            try:
                await self._wake
            except asyncio.CancelledError as error:
                if not self.has_work():
                    raise
                failure = error  # a time limit that the work has set before it was here
            finally:
                self._wake = None
        if self.work is not None:
            work, waited_for = self.work, self._waited_for
            self.work = self._waited_for = None
            await resume_in(self.run, work, waited_for, failure)


class DirectConsumer(WebSocketConsumer):
    """See the module's docstring. The handshake and the upgrade are plain ASGI.

    The server's task is the first worker. Others are made while it is busy with a handler.
    """

    def __init__(self, gateway: Gateway) -> None:
        super().__init__(gateway)
        self._line: Line | None = None
        # The worker in whose name the next packet is handled, None while all are busy.
        self._worker: _Worker | None = None
        self._first: _Worker | None = None
        self._spent = 0
        self._turn: asyncio.Future[None] | None = None
        # How many futures reading waits for.
        self._holds = 0

    # In

    async def _serve(self) -> None:
        """Wait until the connection ends, and finish what callbacks have begun."""
        worker = self._first = self._worker = _Worker(self.client.loop, copy_context())
        worker.task = asyncio.current_task(self.client.loop)  # type: ignore[assignment]
        try:
            while not self._finished or worker.has_work():
                other = self._worker
                if not worker.has_work() and other is not worker:
                    self._worker = worker
                    if other is not None:
                        other.wake()  # it is not needed any more
                await worker.go_on()
        except asyncio.CancelledError:
            self._lost(Reason.TRANSPORT_CLOSE)
            raise

    async def _help(self, worker: _Worker) -> None:
        """Do the same beside a first worker that is busy, as long as nobody else is free."""
        while not self._finished or worker.has_work():
            if not worker.has_work() and self._worker is not worker:
                if self._worker is not None:
                    return
                self._worker = worker
            await worker.go_on()

    def _new_worker(self) -> _Worker:
        """Return a worker with an empty context; see :meth:`.Runtime.spawn`."""
        worker = self._worker = _Worker(self.client.loop, Context())
        worker.task = self.client.local.runtime.spawn(self._help(worker), self.client)
        return worker

    def received(self, packet: str | bytes) -> None:
        """Handle a packet up to where its handler waits."""
        client = self.client
        size = len(packet)
        client.session.bytes_in += size
        limit = client.settings.max_http_buffer_size
        if size * 4 > limit and is_larger(packet, limit):
            self._close_code = TOO_BIG
            client.abort(Reason.TRANSPORT_ERROR, "a message over MAX_HTTP_BUFFER_SIZE")
            return
        worker = self._worker or self._new_worker()
        loop, task = client.loop, worker.task
        work, waited_for = None, FINISHED
        _enter_task(loop, task)
        try:
            work = worker.run(client.receive_packet, packet)
            if work is not None:
                waited_for = worker.run(start, work)
        except BaseException as error:
            self._break(error)
        finally:
            _leave_task(loop, task)
        if work is not None and waited_for is not FINISHED:
            self._worker = None
            worker.take(work, waited_for)
        if client.crowded:
            waiter = client.wait_until_caught_up()
            if waiter is not DONE:
                self._pause_until(waiter)
        self._spent += size + MESSAGE
        if self._spent > TURN:
            self._spent = 0
            if self._turn is None or self._turn.done():
                self._turn = next_turn(loop)
            else:
                self._pause_until(self._turn)  # nobody else has run since it began

    def _pause_until(self, future: Any) -> None:
        self._holds += 1
        if self._line is not None:
            self._line.pause()
        future.add_done_callback(self._resume)

    def _resume(self, future: Any) -> None:
        self._holds -= 1
        if self._holds == 0 and self._line is not None:
            self._line.resume()

    def _break(self, error: BaseException) -> None:
        """End the connection because of an error that no handler may raise; a task raises it."""

        async def fail() -> None:
            raise error

        self.client.local.runtime.spawn(fail(), self.client)
        self.client.abort(Reason.TRANSPORT_ERROR)

    def closed(self, code: int) -> None:
        """See :class:`Receiver`."""
        self._disconnected(code)

    def _lost(self, reason: Reason) -> None:
        super()._lost(reason)
        self._line = None
        for worker in (self._first, self._worker):
            if worker is not None:
                worker.wake()

    # Out

    def _take_over(self) -> None:
        line = self._line = self.scope["extensions"][EXTENSION]["take"](self)
        self.client.session.set_writable(line.writable)
        self.flush()

    def write(self, frame: Frame) -> None:
        """Write a frame at once; the server says when it should be the last one for now."""
        wire = frame.packed
        line = self._line
        if line is not None:
            if wire is None:
                try:
                    wire = frame.packed = line.pack(frame.data)
                except UnicodeEncodeError as error:  # half a character, as a parser may make it
                    self.client.local.runtime.log.failure(error, "the server's send() failed")
                    self.client.session.set_writable(False)
                    return
            line.send(*wire)

    def pause_writing(self) -> None:
        """See :class:`Receiver`."""
        client = self.client
        client.session.set_writable(False)
        if client.stalled is None:
            stall(client)

    def resume_writing(self) -> None:
        """See :class:`Receiver`."""
        if not self._closing:
            self.client.session.set_writable(True)
            self.flush()
            self.client.written()

    def close(self) -> None:
        """Close the WebSocket behind what was written; the server waits for the client's answer."""
        line = self._line
        if line is None:
            super().close()
        elif not self._closing:
            line.close(self._close_code)
            self._lost(Reason.TRANSPORT_CLOSE)
