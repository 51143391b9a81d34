"""A connected client in a namespace, and what the project's class does for it there.

A socket's events are handled one at a time, in the order in which they arrived. Most handlers never
wait: these run in the task that reads, and nothing is queued.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Coroutine
from contextvars import ContextVar
from inspect import signature
from time import perf_counter
from typing import Any, Union

from ..engineio import Reason
from ..exceptions import EventRefused, LocalProtocolError
from ..packets import LARGE, EncodedPacket, LargePacket, Packet, PacketError, weigh
from ..runtime.awaitables import DONE
from ..runtime.interruptions import is_cut_off
from ..runtime.steps import resume
from ..runtime.turns import MESSAGE, TURN
from ..signals import event_received, socket_disconnected
from ..stats import counters
from . import holding
from .behaviour import NOT_YET, Behaviour, Consumer, Handler
from .connection import Connection
from .endpoint import CONNECTED, CONNECTING, LEAVING, LEFT
from .local import Local
from .served import ANSWERED, Served
from .stalls import Turn, go_on_without, is_stalled
from .visits import Visit, may_share

# Handlers are counted by how long they take; see counters.Timing.
FAST = counters.Timing.BOUNDS[0]

# The event that a concurrent handler handles, and its socket.
_overlapping: ContextVar[tuple[Socket, Packet] | None] = ContextVar("_overlapping", default=None)


class _Leave:
    """The last item in a socket's queue: run ``disconnect`` once the events before it are done."""

    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        self.reason = reason


Item = Union[Packet, _Leave, Turn, "asyncio.Future[None]"]


class Socket(Served):
    """See the module's docstring. ``consumer`` is the project's object until all is done."""

    __slots__ = ("_busy", "_queue", "_visit", "handlers", "receive_event")

    def __init__(
        self,
        client: Connection,
        local: Local[Any],
        namespace: str,
        auth: dict[str, Any] | None,
        kwargs: dict[str, Any],
        behaviour: Behaviour,
    ) -> None:
        super().__init__(client, local, namespace, auth, kwargs, behaviour)
        # Copied from ``behaviour``: each event needs them, and one look-up less is saved.
        self.handlers = behaviour.handlers
        self.receive_event = behaviour.receive_event
        # The event whose handler runs; True while ``ready`` or ``disconnect`` does.
        self._busy: Packet | bool = False
        self._queue: deque[Item] | None = None
        # While a worker thread handles several events; it takes them from the queue.
        self._visit: Visit | None = None

    # Events

    def receive(self, packet: Packet) -> Coroutine[Any, Any, None] | None:
        """Take an event from the client.

        Returns a coroutine that handles it, to be awaited by the caller. None means that the event
        waits in the queue, or that a task of its own handles it.
        """
        if self.state is not CONNECTED:
            self.client.violation(PacketError("an event before the namespace is connected"))
            return None
        concurrent = self.handlers[packet.data[0]].concurrent
        if concurrent or self._busy:
            holding.queued(self.client, packet)
            if self.state is not CONNECTED:  # it was one too many
                holding.dequeued(self.client, packet)
            elif concurrent:
                work = self._handle_concurrently(packet, self._handling(packet))
                self.local.runtime.spawn(work, self.client)
            else:
                self._put(packet)
            return None
        self._busy = True
        return self._work(packet)

    def receive_now(self, packet: Packet) -> Coroutine[Any, Any, None] | None:
        """Take an event and run its handler at once, up to where it first waits.

        Returns what :meth:`receive` returns, or None when the handler has finished. Stepping the
        coroutine by hand saves a task per event; tests/unit/test_costs.py counts the tasks.
        """
        if self._busy or self.state is not CONNECTED or self.handlers[packet.data[0]].concurrent:
            return self.receive(packet)
        self._busy = packet
        try:
            if packet.size > LARGE:
                handling = self._handle_large(packet)
            else:
                handling = self._handle(packet, self.consumer)
            waited_for = handling.send(None)
        except StopIteration:
            if not self._queue:
                self._busy = False
                return None
            return self._work(self._next(self._queue))
        except BaseException:
            self._busy = False
            raise
        return self._work(resume(handling, waited_for))

    def wait_for(self, waiter: asyncio.Future[None]) -> None:
        """Handle no further event until ``waiter`` is done."""
        if self._busy:
            if self._visit is not None:
                self._visit.stop()
            if self._queue is None:
                self._queue = deque()
            self._queue.appendleft(waiter)
        elif self.state is CONNECTED:
            self._busy = True
            self.local.runtime.spawn(self._work(waiter), self.client)

    def _put(self, item: Item) -> None:
        if self._queue is None:
            self._queue = deque()
        self._queue.append(item)

    def _next(self, queue: deque[Item]) -> Item:
        item = queue.popleft()
        if isinstance(item, Packet):
            holding.dequeued(self.client, item)
        return item

    def _begin(self, packet: Packet) -> None:
        self._busy = packet

    async def _work(self, item: Packet | _Leave | Awaitable[None]) -> None:
        """Handle an event, then those that have arrived meanwhile, one at a time.

        ``item`` is an awaitable when the event's handler has been started already: the rest of it.
        """
        spent = 0
        try:
            while True:
                if isinstance(item, Packet):
                    self._busy = item
                    spent += item.size + MESSAGE
                    if self._queue and may_share(self, item) and may_share(self, self._queue[0]):
                        self._visit = Visit(self, self._queue, self._begin)
                        await self._visit.run(item)
                    else:
                        await self._handling(item)
                elif isinstance(item, _Leave):
                    self._busy = True
                    await self.run_disconnect(item.reason)
                else:
                    await item
                if spent > TURN:
                    spent = 0
                    await asyncio.sleep(0)
                if not self._queue:
                    return
                item = self._next(self._queue)
        finally:
            self._busy = False
            self._visit = None
            if self._queue and not self.local.closing:
                # The ASGI server has cancelled its task: the waiting events get a task of ours.
                self._busy = True
                self.local.runtime.spawn(self._work(self._next(self._queue)), self.client)

    async def _handle_concurrently(
        self, packet: Packet, handling: Coroutine[Any, Any, None]
    ) -> None:
        _overlapping.set((self, packet))
        try:
            while self._busy and is_stalled(self.client, self):
                turn = Turn(self.client.loop)
                self._put(turn)
                await turn.given
            await handling
        finally:
            packet.id = ANSWERED  # a task that the handler has left behind comes too late
            holding.dequeued(self.client, packet)

    def _handling(self, packet: Packet) -> Coroutine[Any, Any, None]:
        if packet.size > LARGE:
            return self._handle_large(packet)
        return self._handle(packet, self.consumer)

    def _handle_large(self, packet: Packet) -> Coroutine[Any, Any, None]:
        """Decode a large event, if anybody wants it. Returns a coroutine that handles it."""
        weight = packet.size if isinstance(packet, LargePacket) else weigh(packet)
        if isinstance(packet, LargePacket) and (
            self.handlers[packet.data[0]] is not self.handlers.rest
            or not self.handlers.refuses_rest
            or self.receive_event is not None
            or event_received.receivers
        ):
            if not holding.may_decode(self.client):
                return _nothing()
            try:
                weight = packet.load()
            except PacketError as error:
                self.client.violation(error)
                return _nothing()
        holding.hold(self.client, weight)
        return self._handle_held(packet, self.consumer, weight)

    async def _handle_held(self, packet: Packet, consumer: Consumer, weight: int) -> None:
        """Handle a large event, which is counted meanwhile."""
        try:
            await self._handle(packet, consumer)
        finally:
            holding.hold(self.client, -weight)

    async def _handle(self, packet: Packet, consumer: Consumer) -> None:
        name, *args = packet.data
        handler = self.handlers[name]
        timing = handler.timing
        started = perf_counter()
        try:
            if event_received.receivers:
                await self.announce(event_received, consumer, event=name, args=args)
            if self.receive_event is not None:
                result = await self.receive_event(consumer, name, args)
            elif handler.plain and handler.least <= len(args) <= handler.most:
                # What call_handler() does, without its two calls: most events come this way.
                result = await handler.function(consumer, *args)
            else:
                result = await self.call_handler(consumer, name, args)
            if packet.id is not None and packet.id != ANSWERED and self.state is CONNECTED:
                if self._joining is not None:
                    await self.wait_until_joined()
                self.send_ack(packet.id, result)
        except BaseException as error:
            if is_cut_off(error):
                raise
            self.note_failure(error, packet, handler)
        took = perf_counter() - started
        timing.total += took
        if took < FAST:
            timing.fast += 1
        else:
            timing.add_slow(took)
        if took > timing.longest:
            timing.longest = took

    def call_handler(self, consumer: Consumer, name: str, args: list[Any]) -> Awaitable[Any]:
        """Call the handler of an event; await the result for what it returns.

        Raises EventRefused for arguments that do not fit the handler.
        """
        handler = self.handlers[name]
        if handler.named:
            args = [name, *args]
        if not handler.least <= len(args) <= handler.most:
            method = f"{self.behaviour.name}.{handler.method}"
            self.log.warning(
                "event %s of namespace %s: %d argument(s) do not fit %s%s",
                name,
                self.namespace,
                len(args),
                method,
                signature(handler.function),
                kind=method,
            )
            raise EventRefused("arguments")
        return self.run(handler, consumer, *args)

    def current_event(self) -> Packet | bool:
        """Return the event whose handler calls this; True or False where none does."""
        running = _overlapping.get()
        return self._busy if running is None or running[0] is not self else running[1]

    def stay_with(self, event: Packet) -> None:
        """Take ``event`` for the current one in this context, whatever is handled meanwhile."""
        _overlapping.set((self, event))

    def acknowledge(self, args: tuple[Any, ...]) -> Awaitable[Any]:
        """Answer the event whose handler calls this, from any thread.

        Returns as :meth:`send`. Raises LocalProtocolError if there is none, or if it was answered.
        """
        event = self.current_event()
        if not isinstance(event, Packet):
            raise LocalProtocolError("acknowledge() answers an event, and no handler runs")
        ack_id = event.id
        if ack_id == ANSWERED:
            raise LocalProtocolError("this event has been answered already")
        if ack_id is None:
            event.id = ANSWERED
            return DONE
        answer = self.local.encoder.ack(self.namespace, args, ack_id)
        event.id = ANSWERED
        return self.local.runtime.run(self._answer, answer)

    def _answer(self, answer: EncodedPacket) -> Awaitable[Any]:
        counters.traffic.acks_out += 1
        return self.send(answer)

    def hold_events(self) -> None:
        """Let events wait, the concurrent ones too, until :meth:`get_ready` is done."""
        self._busy = True
        self.handlers = NOT_YET

    async def get_ready(self, hook: Handler) -> None:
        """Run the hook ``ready``, then the handlers of the events that wait."""
        await self._work(self._run_ready(hook))

    async def _run_ready(self, hook: Handler) -> None:
        try:
            await self.run_ready(hook)
        finally:
            self.handlers = self.behaviour.handlers
            waiting, self._queue = self._queue, None
            for item in waiting or ():
                if isinstance(item, Packet) and self.handlers[item.data[0]].concurrent:
                    work = self._handle_concurrently(item, self._handling(item))
                    self.local.runtime.spawn(work, self.client)
                else:
                    self._put(item)

    # The end

    def leave_namespace(self, reason: str) -> None:
        """Leave the namespace: from now on nothing is sent or received. Safe to call twice.

        ``reason`` is Socket.IO's text for ``disconnect``, which runs after the events that wait.
        """
        if self.reason is not None:
            return
        self.reason = reason
        if self.client.sockets.get(self.namespace) is self:
            del self.client.sockets[self.namespace]
        self.abandon_questions()
        go_on_without(self.client, self)
        if self.state is CONNECTING:
            self.state = LEAVING
            return  # admission goes on when connect() has returned
        self.state = LEFT
        if self._visit is not None:
            self._visit.stop()
        counters.disconnects.add(reason)
        self.remove_from_index()
        if reason == Reason.SERVER_DISCONNECT:
            # The server has disconnected the client: its waiting events are dropped.
            while self._queue:
                item = self._next(self._queue)
                if isinstance(item, Turn):
                    item.give()  # it has begun
        elif self._queue:
            holding.make_room(self.client, self._queue)
        if self._busy:
            self._put(_Leave(reason))
        elif self.behaviour.disconnect is not None or socket_disconnected.receivers:
            self._busy = True
            self.local.runtime.spawn(self._work(_Leave(reason)), self.client)
        else:
            self.release_consumer()

    def close(self, transport: bool) -> Awaitable[None]:
        """Disconnect the client from the namespace; with ``transport`` end its whole connection."""
        if transport:
            self.client.disconnect()
        elif self.state is CONNECTED:
            left = self.local.encoder.disconnect(self.namespace)
            self.client.send(self.local.make_frames(left))
            counters.traffic.control_out += 1
            self.leave_namespace(Reason.SERVER_DISCONNECT)
        elif self.reason is None:
            self.state, self.reason = LEAVING, Reason.SERVER_DISCONNECT
        return DONE


async def _nothing() -> None:
    """Stand in for the handler of an event that is none."""
