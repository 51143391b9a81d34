"""The check of what comes over the layer: messages go in, well-formed operations come out.

Without I/O. A message that is malformed is counted and dropped.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Any

from ..stats import counters
from .messages import PRIVATE, BadMessage, is_well_formed, unpack
from .sequence import Received


class Inbox:
    """Checks messages. ``node`` is this process's own id."""

    def __init__(self, node: str) -> None:
        self._node = node

    def open(self, message: Any, groups: Container[str]) -> Received | None:
        """Check a message whose signature is good. Returns None for one that is to be dropped.

        ``groups`` are those that this process wants to be in. The numbers are not compared. What
        this process itself has sent to a group comes back without operations.
        """
        counters.layer.add("received")
        try:
            sender, group, numbers, operations = unpack(message)
        except BadMessage:
            counters.layer.add("malformed")
            return None
        if sender == self._node:
            if group:
                return Received(sender, group, numbers, [])  # carried out when it was sent
        elif group not in PRIVATE and group not in groups:
            return None  # the group was left meanwhile: the message is for nobody here
        well_formed = list(filter(is_well_formed, operations))
        if len(well_formed) < len(operations):
            counters.layer.add("malformed", len(operations) - len(well_formed))
        return Received(sender, group, numbers, well_formed)
