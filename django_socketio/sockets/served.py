"""A socket whose namespace a class of the project serves: its hooks, and how code of it is run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from django.dispatch import Signal

from ..addressing.outcomes import as_arguments
from ..exceptions import (
    Disconnected,
    EventRefused,
    LimitExceeded,
    TooManyRooms,
    TooManyWaiting,
)
from ..packets import Packet, PacketLimitExceeded
from ..runtime.announcements import announce
from ..runtime.interruptions import is_cut_off
from ..signals import event_received, socket_connected, socket_disconnected
from ..stats import counters
from .behaviour import Behaviour, Consumer, Handler
from .connection import Connection
from .endpoint import CONNECTED, Endpoint
from .local import Local

# The id of an event that has been answered; no client gives a negative one.
ANSWERED = -1


class Served(Endpoint):
    """See the module's docstring. ``consumer`` is the project's object until all is done."""

    __slots__ = ("behaviour", "consumer")

    def __init__(
        self,
        client: Connection,
        local: Local[Any],
        namespace: str,
        auth: dict[str, Any] | None,
        kwargs: dict[str, Any],
        behaviour: Behaviour,
    ) -> None:
        super().__init__(client, local, namespace, auth, kwargs)
        self.behaviour = behaviour
        # Made when admission begins, where an error of the project's __init__() is a refusal.
        self.consumer: Consumer = None

    @property
    def names(self) -> dict[str, str]:
        """The data of the CONNECT that admits the client."""
        return {"sid": self.sid}

    @property
    def recovered(self) -> bool:
        """Whether the state of an earlier connection was restored."""
        return False

    async def restore(self) -> None:
        """Restore the state of an earlier connection, before ``connect`` runs."""

    def run(
        self, handler: Handler, consumer: Consumer, *args: Any, hook: bool = False
    ) -> Awaitable[Any]:
        """Call a handler or a hook; a plain function runs in a worker thread."""
        if handler.is_async:
            result: Awaitable[Any] = handler.function(consumer, *args)
            return result
        return self.in_thread(handler.function, consumer, *args, hook=hook)

    def in_thread(
        self, function: Callable[..., Any], *args: Any, hook: bool = False
    ) -> Awaitable[Any]:
        """Call a plain function in a worker thread; see :meth:`.Runtime.in_thread`."""
        client = self.client
        return self.local.runtime.in_thread(
            function, *args, owner=client, sensitive=client.thread_sensitive, hook=hook
        )

    async def announce(self, signal: Signal, consumer: Consumer, **kwargs: Any) -> None:
        """Send a signal of this socket. Exceptions of its receivers are logged, never raised."""
        client = self.client
        await announce(
            self.local.runtime,
            signal,
            self.behaviour.cls,
            {**kwargs, "socket": consumer},
            owner=client,
            sensitive=client.thread_sensitive,
            hook=signal is not event_received,
        )

    def send_ack(self, ack_id: int, result: Any) -> None:
        """Answer an event with what its handler has returned. Raises what the encoder raises."""
        answer = self.local.encoder.ack(self.namespace, as_arguments(result), ack_id)
        self.client.send(self.local.make_frames(answer))
        counters.traffic.acks_out += 1

    def note_failure(self, error: BaseException, packet: Packet, handler: Handler) -> None:
        """Count and log what the handler of an event has raised; answer a refusal with a code."""
        if isinstance(error, EventRefused):
            counters.events_refused.add(error.code or error.reason)
            if error.code is not None:
                self._answer_refusal(error, packet, handler)
        elif isinstance(error, TooManyRooms):
            self.client.violation(PacketLimitExceeded(str(error)))
        elif isinstance(error, Disconnected):
            # It waited for a client that has left: that is no error of the handler.
            self.log.info("the handler of event %s has ended: %s", packet.data[0], error)
        elif isinstance(error, TooManyWaiting):
            # It was not heard because of others: no error of the handler, and it may come often.
            counters.limits.add(str(error))
            self.log.error("%s: MAX_WAITING_THREADS", error)
        else:
            if isinstance(error, LimitExceeded):
                counters.limits.add(str(error))
            counters.handler_errors.add("event")
            handler.timing.errors += 1
            self.log.failure(
                error,
                "the handler of event %s in namespace %s failed",
                packet.data[0],
                self.namespace,
                kind=f"{self.behaviour.name}.{handler.method}",
            )

    def _answer_refusal(self, error: EventRefused, packet: Packet, handler: Handler) -> None:
        ack_id = packet.id
        if ack_id is None or ack_id == ANSWERED or self.state is not CONNECTED:
            return
        packet.id = ANSWERED  # a thread that the handler has left behind comes too late
        refusal = {"code": error.code, "message": error.reason}
        try:
            self.send_ack(ack_id, {"error": {**refusal, **error.details}})
        except Exception as unfit:  # JSON cannot hold the details
            self.note_failure(unfit, packet, handler)
            self.send_ack(ack_id, {"error": {key: str(text) for key, text in refusal.items()}})

    async def run_ready(self, hook: Handler) -> None:
        """Send the signal ``socket_connected``, then run the hook ``ready``.

        Exceptions of the hook are logged and counted. It does not run for a client that has left.
        """
        try:
            if socket_connected.receivers:
                await self.announce(socket_connected, self.consumer)
            if self.reason is None:
                await self.run(hook, self.consumer, hook=True)
        except Disconnected as error:
            # It waited for a client that has left: that is no error of the hook.
            self.log.info("ready() of namespace %s has ended: %s", self.namespace, error)
        except BaseException as error:
            if is_cut_off(error):
                raise
            counters.handler_errors.add("ready")
            self.log.failure(
                error,
                "ready() of namespace %s failed",
                self.namespace,
                kind=self.behaviour.name,
            )

    async def run_disconnect(self, reason: str) -> None:
        """Run the hook ``disconnect``, then send the signal ``socket_disconnected``.

        Exceptions of the hook are logged and counted.
        """
        consumer = self.consumer
        try:
            hook = self.behaviour.disconnect
            try:
                if hook is not None:
                    await self.run(hook, consumer, str(reason), hook=True)
            except BaseException as error:
                if is_cut_off(error):
                    raise
                counters.handler_errors.add("disconnect")
                self.log.failure(
                    error,
                    "disconnect() of namespace %s failed",
                    self.namespace,
                    kind=self.behaviour.name,
                )
            if socket_disconnected.receivers:
                await self.announce(socket_disconnected, consumer, reason=str(reason))
        finally:
            self.release_consumer()

    def release_consumer(self) -> None:
        """Let go of the consumer: nothing more is to be done for this socket. Called once.

        Consumer and socket refer to each other. Breaking that circle frees both at once, without
        the garbage collector (``test_the_garbage_collector_has_nothing_to_do`` in
        tests/unit/test_costs.py).
        """
        self.client.living -= 1
        self.consumer = None
