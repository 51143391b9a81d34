"""Ask every process that serves; see :mod:`.reports` for what can be asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, cast

from django.core.exceptions import ImproperlyConfigured

from ..server.hub import Hub
from ..server.hubs import acting_hubs, block, must_not_block, on_each_hub
from .reports import Params, Report, Subject

# How long the others may take, in seconds; whoever asks is a person who waits for a page.
GATHER_TIMEOUT = 2.0


@dataclass(frozen=True)
class Gathered(Generic[Report]):
    """Reports by process, and the processes that did not answer.

    ``complete`` says whether all processes that live can be asked from here: they share a channel
    layer.
    """

    reports: dict[str, Report]
    missing: set[str]
    complete: bool


async def agather(
    subject: Subject[Params, Report], params: Params | None = None, timeout: float = GATHER_TIMEOUT
) -> Gathered[Report]:
    """Ask every process. Those that take longer than ``timeout`` seconds are missing."""
    wanted = cast("dict[str, Any]", params or {})

    async def ask(hub: Hub) -> Gathered[Report]:
        own = {hub.node: subject.describe(hub, cast(Params, wanted))} if hub.serves else {}
        answers, missing = await hub.others.gather(subject.name, wanted, timeout)
        others = {node: subject.complete(answer) for node, answer in answers.items()}
        return Gathered({**own, **others}, missing, complete=hub.others.shared)

    whole: Gathered[Report] = Gathered({}, set(), complete=False)
    for part in await on_each_hub(ask):
        whole = Gathered(
            {**whole.reports, **part.reports},
            whole.missing | part.missing,
            whole.complete or part.complete,
        )
    return whole


def gather(
    subject: Subject[Params, Report], params: Params | None = None, timeout: float = GATHER_TIMEOUT
) -> Gathered[Report]:
    """As :func:`agather`, from a thread without an event loop."""
    must_not_block("agather")
    try:
        acting_hubs()
    except ImproperlyConfigured:
        # This process serves nobody, and no channel layer leads to one that does.
        return Gathered({}, set(), complete=False)
    return block(lambda: agather(subject, params, timeout))
