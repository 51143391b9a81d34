"""The package's own client for tests, with the deadline of these tests."""

from __future__ import annotations

from typing import Any

from asgiref.testing import ApplicationCommunicator

from django_socketio import SocketIOConsumer
from django_socketio.sockets.socket import Socket
from django_socketio.testing import SocketIOCommunicator
from tests.harness.waiting import DEADLINE


def state_of(consumer: SocketIOConsumer) -> Socket:
    """What the server keeps for a consumer's socket."""
    state: Socket = vars(consumer)["_SocketIOConsumer__socket"]
    return state


def is_running(client: ApplicationCommunicator) -> bool:
    """Whether the application serves the client now. (asgiref 3.8 gave the future a new name.)"""
    future = vars(client).get("_future") or vars(client).get("future")
    return future is not None and not future.done()


class Client(SocketIOCommunicator):
    """The public communicator with a test's deadline in place of its one second."""

    async def connect(self, timeout: float = DEADLINE) -> Any:
        return await super().connect(timeout)

    async def call(self, event: str, *args: Any, timeout: float = DEADLINE) -> Any:
        return await super().call(event, *args, timeout=timeout)

    async def receive_event(self, timeout: float = DEADLINE) -> tuple[str, list[Any]]:
        return await super().receive_event(timeout)

    async def disconnect(self, code: int = 1000, timeout: float = DEADLINE) -> None:
        await super().disconnect(code, timeout)

    async def arrived(self) -> list[list[Any]]:
        """Every event that has come, as `[name, *args]`.

        The namespace's consumer has to be a `Base`: a round trip through its queue of events shows
        that nothing is on its way any more.
        """
        await self.call("barrier")
        return await self.kept()

    async def kept(self) -> list[list[Any]]:
        """The events that came before the acknowledgement that was waited for last."""
        events = []
        while not await self.receive_nothing(timeout=0):
            name, args = await self.receive_event()
            events.append([name, *args])
        return events
