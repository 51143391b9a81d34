"""The check of what comes over the layer: messages go in, well-formed operations come out.

Without I/O. A message that is malformed or a duplicate is counted and dropped.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Any, NamedTuple

from ..stats import counters
from .messages import PRIVATE, BadMessage, is_well_formed, unpack
from .sequence import Receiver


class Received(NamedTuple):
    """A message that was accepted.

    ``group`` is empty or CARRIED for one to this process alone. ``lost`` is how many messages of
    that sender in that group are missing before this one.
    """

    sender: str
    group: str
    lost: int
    operations: list[list[Any]]


class Inbox:
    """Checks messages and compares their sequence numbers. ``node`` is this process's own id."""

    def __init__(self, node: str) -> None:
        self._node = node
        self._receiver = Receiver()

    def open(self, message: Any, groups: Container[str]) -> Received | None:
        """Check a message whose signature is good. Returns None for one that is to be dropped.

        ``groups`` are those that this process wants to be in. The number of a message of this
        process itself is not checked; if it went to a group, it comes back without operations.
        """
        counters.layer.add("received")
        try:
            sender, group, first, number, operations = unpack(message)
        except BadMessage:
            counters.layer.add("malformed")
            return None
        lost = 0
        if sender == self._node:
            if group:
                return Received(sender, group, 0, [])  # carried out already, when it was sent
        else:
            if group not in PRIVATE and group not in groups:
                return None  # the group was left meanwhile: the message is for nobody here
            missing = self._receiver.lost(sender, group, first, number)
            if missing is None:
                counters.layer.add("duplicate")
                return None
            lost = missing
            if lost:
                counters.layer.add("lost", lost)
        well_formed = list(filter(is_well_formed, operations))
        if len(well_formed) < len(operations):
            counters.layer.add("malformed", len(operations) - len(well_formed))
        return Received(sender, group, lost, well_formed)

    def forget_group(self, group: str) -> None:
        """Forget the numbers of a group: this process has not been in it for a while."""
        self._receiver.forget_group(group)

    def forget(self, node: str) -> None:
        """Forget the numbers of a process that is gone."""
        self._receiver.forget(node)
