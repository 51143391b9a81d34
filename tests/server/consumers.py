"""The consumer that most tests here start from."""

from __future__ import annotations

from django_socketio import SocketIOConsumer, event


class Base(SocketIOConsumer):
    """Answers "barrier" after all events before it, so a test knows that they are done."""

    @event("barrier")
    async def answer_the_barrier(self) -> bool:
        return True
