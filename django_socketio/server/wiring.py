"""What the floors above (statistics, transports) give to a hub when it is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from ..cluster.tunnels import Accept


class Record(Protocol):
    """The recorder of a hub's statistics."""

    def recent_since(self, since: int) -> list[list[int]]:
        """Return the entries of the last minutes after a time, in seconds since 1970."""

    def end(self) -> None:
        """Begin to write the last statistics: the process ends."""

    async def ended(self) -> None:
        """Wait until they are written, but not for long."""


class Wiring(NamedTuple):
    """See the module's docstring.

    ``report`` answers what the admin asks about the process of a hub, ``record`` starts the hub's
    statistics, where they are wanted, ``accept`` serves requests that other processes carry here.
    """

    report: Callable[[Any, str, dict[str, Any]], dict[str, Any]] | None = None
    record: Callable[[Any], Record | None] | None = None
    accept: Accept | None = None
