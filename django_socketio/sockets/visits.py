"""Events of one socket that a worker thread handles one after the other, in one visit.

The way to a thread and back costs about 60 µs, ten times what a small event costs otherwise. So
where the socket's next event goes to a plain handler too, the thread that is there takes it.
``tests/security/test_floods_of_plain_events.py`` counts the visits.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Lock
from time import perf_counter
from typing import Any, NamedTuple

from ..packets import LARGE, Packet
from ..runtime.threads import before_turning_to_the_loop, call_next
from ..signals import event_received
from . import holding
from .behaviour import Consumer
from .endpoint import CONNECTED
from .served import ANSWERED, Served

# After so many seconds a visit takes no further event: it is somebody else's turn.
LONGEST = 0.002
# Results with more values are taken for large ones.
MOST = 8


class Outcome(NamedTuple):
    """What the handler of an event has returned or raised, after how many seconds."""

    packet: Packet
    result: Any
    error: BaseException | None
    seconds: float


def _is_small(result: Any) -> bool:
    """Whether what a handler has returned is surely small as JSON."""
    if isinstance(result, (str, bytes)):
        return len(result) <= LARGE
    if isinstance(result, (tuple, list)):
        return len(result) <= MOST and all(map(_is_small, result))
    return result is None or isinstance(result, (int, float))


def may_share(socket: Served, item: Any) -> bool:
    """Whether ``item``, which waits in a socket's queue, needs nothing but its plain handler."""
    if not isinstance(item, Packet) or item.size > LARGE:
        return False
    handler = socket.behaviour.handlers[item.data[0]]
    given = len(item.data) - (not handler.named)
    return (
        not handler.is_async
        and handler.least <= given <= handler.most
        and socket.behaviour.receive_event is None
        and not event_received.receivers
    )


class Visit:
    """See the module's docstring. It is made on the loop's thread.

    It looks like as many visits: one event runs at a time, in order, and what handlers emit and
    return goes out in one order, at once. A handler that turns to the loop for anything else (it
    joins a room, closes the socket, asks the client) is the last of a visit, since the event behind
    it must find that done; so is one that answers with more than a little, as a client may not read
    (see ``stalls``).
    """

    __slots__ = (
        "_begin",
        "_consumer",
        "_ended",
        "_lock",
        "_outcomes",
        "_over",
        "_queue",
        "_reported",
        "_socket",
        "_taken",
        "_told",
    )

    def __init__(self, socket: Served, queue: deque[Any], begin: Callable[[Packet], None]) -> None:
        self._socket = socket
        self._consumer: Consumer = socket.consumer
        self._begin = begin
        # The events that wait. Held while the thread takes one of them; whether it may take more.
        self._queue = queue
        self._lock = Lock()
        self._over = False
        # Events that the thread has taken, and that the loop still counts as waiting.
        self._taken: deque[Packet] = deque()
        # How handlers have ended, as far as the loop has not seen it. How many have, for how many
        # the thread has called the loop, and how many the loop has seen.
        self._outcomes: deque[Outcome] = deque()
        self._ended = self._told = self._reported = 0

    # On the loop's thread

    async def run(self, packet: Packet) -> None:
        """Handle an event, and those behind it that may share the visit."""
        try:
            await self._socket.in_thread(self._handle, packet)
        finally:
            self.stop()
            self._report(self._ended)
        while self._outcomes:
            await self._socket.wait_until_joined()
            self._report(self._ended)

    def stop(self) -> None:
        """Let the thread take no further event: from now on the queue is the loop's alone."""
        with self._lock:
            self._over = True

    def _count_later(self) -> None:
        # By then the thread takes none any more, and the handler that runs may take long.
        self._socket.client.loop.call_later(LONGEST, self._count)

    def _count(self) -> None:
        """Note that the events that were taken wait no more."""
        while self._taken:
            holding.dequeued(self._socket.client, self._taken.popleft())

    def _report(self, ended: int) -> None:
        """Answer and count the first ``ended`` events, unless an answer has to wait for a join."""
        self._count()
        while self._reported < ended:
            if self._socket.joins and self._outcomes[0].packet.id is not None:
                self.stop()
                return
            self._finish(*self._outcomes.popleft())
            self._reported += 1

    def _finish(
        self, packet: Packet, result: Any, error: BaseException | None, seconds: float
    ) -> None:
        socket, ack_id = self._socket, packet.id
        handler = socket.behaviour.handlers[packet.data[0]]
        if error is None and ack_id not in (None, ANSWERED) and socket.state is CONNECTED:
            try:
                socket.send_ack(ack_id, result)
            except Exception as unfit:  # JSON cannot hold it
                error = unfit
        if error is not None:
            socket.note_failure(error, packet, handler)
        handler.timing.add(seconds)

    # In the worker thread

    def _handle(self, first: Packet) -> None:
        until = perf_counter() + LONGEST
        before_turning_to_the_loop(self._turn_to_the_loop)
        try:
            packet: Packet | None = first
            while packet is not None:
                now = self._handle_one(packet)
                packet = self._take() if now < until else None
        finally:
            before_turning_to_the_loop(None)

    def _handle_one(self, packet: Packet) -> float:
        """Call the handler of an event. Returns the time at which it has ended."""
        started = perf_counter()
        result, error = self._call(packet)
        now = perf_counter()
        self._outcomes.append(Outcome(packet, result, error, now - started))
        self._ended += 1
        if packet.id is not None:
            self._over = self._over or not _is_small(result)
            self._tell()
        return now

    def _call(self, packet: Packet) -> tuple[Any, BaseException | None]:
        handler = self._socket.behaviour.handlers[packet.data[0]]
        args = packet.data if handler.named else packet.data[1:]
        try:
            return call_next(handler.function, self._consumer, *args), None
        except BaseException as error:
            return None, error

    def _take(self) -> Packet | None:
        """Take the next event, if the thread may."""
        with self._lock:
            queue = self._queue
            if self._over or not queue or not may_share(self._socket, queue[0]):
                return None
            packet: Packet = queue.popleft()
            self._begin(packet)
            self._taken.append(packet)
        if self._ended == 1:
            self._call_loop(self._count_later)
        return packet

    def _turn_to_the_loop(self) -> None:
        self._over = True
        if self._told < self._ended:
            self._tell()

    def _tell(self) -> None:
        """Have the loop see what has ended so far, before anything that comes later."""
        self._told = self._ended
        self._call_loop(self._report, self._ended)

    def _call_loop(self, function: Any, *args: Any) -> None:
        self._socket.client.loop.call_soon_threadsafe(function, *args)
