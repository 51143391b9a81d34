"""A channel layer that loses what a test tells it to lose."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from channels_redis.pubsub import RedisPubSubChannelLayer

from django_socketio.cluster.messages import Kind
from tests.unit.cluster.layers import unsigned


class LossyLayer(RedisPubSubChannelLayer):
    """Loses a message that holds an operation for which there is a file.

    The file lies in the folder ``losses`` and is named after the operation ("OPEN"), where it is
    one that carries something with what it carries ("IN.text"). It is removed, so that one message
    is lost for each file.
    """

    def __init__(self, *args: Any, losses: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._losses = Path(losses)

    async def send(self, channel: str, message: dict[str, Any]) -> None:
        if not self._loses(message, channel):
            await self._get_layer().send(channel, message)

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        if not self._loses(message, None):
            await self._get_layer().group_send(group, message)

    def _loses(self, message: dict[str, Any], channel: str | None) -> bool:
        operations = unsigned(message, channel)["o"]
        return any(self._is_to_be_lost(name(operation)) for operation in operations)

    def _is_to_be_lost(self, operation: str) -> bool:
        try:
            (self._losses / operation).unlink()
        except FileNotFoundError:
            return False
        return True


def name(operation: list[Any]) -> str:
    kind = Kind(operation[0]).name
    return f"{kind}.{operation[2][0]}" if kind in ("IN", "OUT") else kind
