"""What a process tells about itself: its counters, its sockets, its rooms.

It is asked by the admin's pages, in the same process or over the channel layer. Answers are plain
values, and nothing that a client has sent in an event is ever in them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from ..server.classes import behaviour_of
from ..server.hub import Hub
from ..server.registry import registry
from ..sockets.behaviour import ANY_EVENT
from ..version import __version__
from . import counters
from .identity import HOST, STARTED, process_name
from .listings import describe_rooms, describe_sockets
from .shapes import (
    Counters,
    HandlerRow,
    ProcessParams,
    ProcessReport,
    RoomsParams,
    RoomsReport,
    SocketsParams,
    SocketsReport,
    complete,
    complete_process,
    lost_messages,
)

Params = TypeVar("Params")
Report = TypeVar("Report")


@dataclass(frozen=True)
class Subject(Generic[Params, Report]):
    """What a process can be asked: ``name`` on the wire, the answer, how to complete another's."""

    name: str
    describe: Callable[[Hub, Params], Report]
    complete: Callable[[Any], Report]


def count_all(hub: Hub) -> Counters:
    """Return everything that was counted since the process started. O(sessions) and small."""
    handlers = list(handler_rows())
    traffic = counters.traffic.with_sessions(client.session for client in hub.clients.values())
    events_out = traffic.packets_out - traffic.acks_out - traffic.control_out
    return {
        "sessions": counters.sessions.as_dict(),
        "sockets": counters.sockets.as_dict(),
        "traffic": {
            **traffic.as_dict(),
            "events_in": sum(row["count"] for row in handlers),
            "events_out": max(0, events_out),
        },
        "lag": {"last": counters.lag.last, "highest": counters.lag.highest},
        "handlers": handlers,
        "connects": dict(counters.connects),
        "disconnects": dict(counters.disconnects),
        "requests_refused": dict(counters.requests_refused),
        "refusals": dict(counters.refusals),
        "events_refused": dict(counters.events_refused),
        "handler_errors": dict(counters.handler_errors),
        "violations": dict(counters.violations),
        "limits": dict(counters.limits),
        "layer": dict(counters.layer),
    }


def handler_rows() -> Iterator[HandlerRow]:
    """Yield the timing of every registered handler: a row for each consumer class and event."""
    for consumer, namespaces in registry.consumers().items():
        behaviour = behaviour_of(consumer)
        handlers = behaviour.handlers
        for event, handler in [*handlers.items(), (ANY_EVENT, handlers.rest)]:
            unhandled = handler is handlers.rest and handlers.refuses_rest
            if unhandled and not handler.timing.count:
                continue
            yield {
                "consumer": behaviour.name,
                "namespaces": namespaces,
                "event": event,
                "kind": "" if unhandled else "async" if handler.is_async else "thread",
                **handler.timing.as_dict(),
            }


def describe_process(hub: Hub, params: ProcessParams) -> ProcessReport:
    """Return who this process is, how it is, what it has counted, and the last minutes."""
    return {
        "node": hub.node,
        "host": HOST,
        "pid": os.getpid(),
        "version": __version__,
        "started": STARTED.isoformat(),
        "layer_up": hub.others.layer_up,
        "lost": lost_messages(counters.layer),
        "counters": count_all(hub),
        "recent": hub.record.recent_since(params.get("since", 0)) if hub.record else [],
        "name": process_name(),
    }


PROCESS = Subject[ProcessParams, ProcessReport]("process", describe_process, complete_process)
SOCKETS = Subject[SocketsParams, SocketsReport](
    "sockets", describe_sockets, partial(complete, SocketsReport)
)
ROOMS = Subject[RoomsParams, RoomsReport]("rooms", describe_rooms, partial(complete, RoomsReport))
_BY_NAME: dict[str, Subject[Any, Any]] = {
    subject.name: subject for subject in (PROCESS, SOCKETS, ROOMS)
}


def make_report(hub: Hub, subject: str, params: dict[str, Any]) -> dict[str, Any]:
    """Answer a question about this process that came from another one.

    ``subject`` is the name of a :class:`Subject`. Raises KeyError for an unknown one.
    """
    report: dict[str, Any] = _BY_NAME[subject].describe(hub, params)
    return report
