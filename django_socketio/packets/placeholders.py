"""Where the attachments of a packet belong.

https://socket.io/docs/v4/socket-io-protocol/#packet-encoding
"""

from __future__ import annotations

from typing import Any

from .packet import PacketError


def find_placeholders(data: Any, count: int) -> list[tuple[Any, Any]]:
    """Return the place of each of ``count`` attachments, as (container, key), in their order.

    Raises :class:`PacketError` unless each attachment has exactly one placeholder.
    """
    slots: list[tuple[Any, Any] | None] = [None] * count
    parents = [data]
    while parents:
        parent = parents.pop()
        for key, value in parent.items() if type(parent) is dict else enumerate(parent):
            if type(value) is dict and value.get("_placeholder") is True:
                number = value.get("num")
                if type(number) is not int or not 0 <= number < count or slots[number]:
                    raise PacketError("illegal attachments")
                slots[number] = (parent, key)
            elif type(value) is dict or type(value) is list:
                parents.append(value)
    if None in slots:
        raise PacketError("illegal attachments")
    return slots  # type: ignore[return-value]
