"""Asking every process that serves; see :mod:`.report` for what can be asked."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.core.exceptions import ImproperlyConfigured

from ..server.hub import Hub
from ..server.hubs import acting_hubs, block, must_not_block, on_each_hub
from .reports import make_report

# How long the others may take; whoever asks is a person who waits for a page.
GATHER_TIMEOUT = 2.0


class Gathered(NamedTuple):
    """Reports by process, and the processes that did not answer.

    ``complete`` says whether all processes that live can be asked from here: they share a channel
    layer.
    """

    reports: dict[str, dict[str, Any]]
    missing: set[str]
    complete: bool


async def agather(
    subject: str, params: dict[str, Any] | None = None, timeout: float = GATHER_TIMEOUT
) -> Gathered:
    """Ask every process."""

    async def ask(hub: Hub) -> Gathered:
        found = {hub.node: make_report(hub, subject, params or {})} if hub.serves else {}
        others, missing = await hub.others.gather(subject, params or {}, timeout)
        return Gathered({**found, **others}, missing, complete=hub.others.shared)

    whole = Gathered({}, set(), complete=False)
    for part in await on_each_hub(ask):
        whole = Gathered(
            {**whole.reports, **part.reports},
            whole.missing | part.missing,
            whole.complete or part.complete,
        )
    return whole


def gather(
    subject: str, params: dict[str, Any] | None = None, timeout: float = GATHER_TIMEOUT
) -> Gathered:
    """As :func:`agather`, from a thread without an event loop."""
    must_not_block("agather")
    try:
        acting_hubs()
    except ImproperlyConfigured:
        # This process serves nobody, and no channel layer leads to one that does.
        return Gathered({}, set(), complete=False)
    return block(lambda: agather(subject, params, timeout))
