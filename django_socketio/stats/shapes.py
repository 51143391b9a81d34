"""The shapes of what processes report, and of what may be asked.

Reports come from this process, from others over the channel layer, and from rows of the database.
Another process, or the one that wrote a row, may run another version of this package:
:func:`complete` and :func:`complete_process` fill in what such a report lacks. Whatever comes out
of :mod:`.gather` and :meth:`.ServerProcess.as_report` is complete.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from types import UnionType
from typing import Any, TypedDict, TypeVar, cast, get_args, get_origin, get_type_hints, is_typeddict

from .counters import GaugeCounts, Timing, TimingCounts, WireCounts

Shape = TypeVar("Shape")

# What a process has counted


class TrafficCounts(WireCounts):
    """Packets, bytes, acknowledgements and events of all sessions, the living ones included."""

    events_in: int
    events_out: int


class LagTimes(TypedDict):
    """How late the event loop was, in seconds."""

    last: float
    highest: float


class HandlerRow(TimingCounts):
    """One handler of one consumer class. ``kind`` is "async", "thread", or "" for no handler."""

    consumer: str
    namespaces: list[str]
    event: str
    kind: str


class Counters(TypedDict):
    """Everything that a process has counted since it started; the tallies are counts by kind."""

    sessions: GaugeCounts
    sockets: GaugeCounts
    traffic: TrafficCounts
    lag: LagTimes
    handlers: list[HandlerRow]
    connects: dict[str, int]
    disconnects: dict[str, int]
    requests_refused: dict[str, int]
    refusals: dict[str, int]
    events_refused: dict[str, int]
    handler_errors: dict[str, int]
    violations: dict[str, int]
    limits: dict[str, int]
    layer: dict[str, int]


class StoredCounters(Counters):
    """What a process writes to its row in the database."""

    layer_up: bool | None


class Sample(TypedDict):
    """One minute of a process, as :class:`.TrafficSample` keeps it; ``lag`` in seconds."""

    minute: int
    sockets: int
    sessions: int
    connects: int
    events_in: int
    events_out: int
    packets_in: int
    packets_out: int
    bytes_in: int
    bytes_out: int
    errors: int
    lost: int
    lag: float


# What a process answers, by subject


class NamedReport(TypedDict):
    """Every answer has the name of its process, "host:pid"."""

    name: str


class ProcessReport(NamedReport):
    """The process itself.

    ``started`` is an ISO time, ``layer_up`` is None without a shared channel layer. ``recent`` has
    an entry for every few seconds of the last minutes: [seconds since 1970, sockets, events in,
    events out].
    """

    node: str
    host: str
    pid: int
    version: str
    started: str
    layer_up: bool | None
    lost: int
    counters: Counters
    recent: list[list[int]]


class SocketRow(TypedDict):
    """One socket; ``since`` is an ISO time, ``session`` a part of the session's id."""

    sid: str
    node: str
    session: str
    namespace: str
    user_id: str
    username: str
    rooms: list[str]
    more_rooms: int
    transport: str
    secure: bool
    address: str
    user_agent: str
    since: str
    packets_in: int
    packets_out: int


class SocketsReport(NamedReport):
    """The first sockets of a process that pass the filters; ``total`` is how many pass.

    ``namespaces`` and ``rooms`` have the largest of the process and their sizes, where asked for.
    """

    total: int
    rows: list[SocketRow]
    namespaces: dict[str, int]
    rooms: dict[str, int]


class RoomRow(TypedDict):
    """One room of a process."""

    namespace: str
    room: str
    members: int


class RoomsReport(NamedReport):
    """The largest rooms of a process that pass the filters; ``total`` is how many pass."""

    total: int
    rows: list[RoomRow]


# What may be asked, by subject; everything may be left out


class ProcessParams(TypedDict, total=False):
    """``since``: which entries of the last minutes are wanted, in seconds since 1970."""

    since: int


class SocketsParams(TypedDict, total=False):
    """Filters, where "" stands for any, and how many rows are wanted at most.

    ``sids`` are the only sockets that are wanted; an empty list stands for any. ``session`` is the
    part of a session's id that is shown. ``order`` is a column, with "-" for the largest first.
    ``choices`` asks for the namespaces and rooms to choose from as well.
    """

    order: str
    choices: bool
    sids: list[str]
    session: str
    namespace: str
    room: str
    transport: str
    user: str
    q: str
    limit: int


class RoomsParams(TypedDict, total=False):
    """Filters, where "" stands for any, and how many rows are wanted at most."""

    namespace: str
    q: str
    limit: int


# None of the entries of the last minutes.
WITHOUT_RECENT: ProcessParams = {"since": 2**62}


def lost_messages(layer: Mapping[str, int]) -> int:
    """Return how many messages between processes were lost; ``layer`` is that tally."""
    return layer.get("lost", 0) + layer.get("dropped", 0)


def complete(shape: type[Shape], given: Any) -> Shape:
    """Return ``given`` with every key of the TypedDict ``shape``, and so for all shapes within.

    What is missing is empty or 0, or None where the shape allows it. Other keys stay.
    """
    whole = dict(given) if isinstance(given, dict) else {}
    for key, hint in _hints(shape).items():
        if whole.get(key) is None:
            whole[key] = _make_empty(hint)
        elif is_typeddict(hint):
            whole[key] = complete(hint, whole[key])
        elif get_origin(hint) is list and is_typeddict(get_args(hint)[0]):
            whole[key] = _complete_rows(get_args(hint)[0], whole[key])
    return cast(Shape, whole)


def complete_process(given: Any) -> ProcessReport:
    """Return a whole report of a process.

    Handlers whose histogram has other buckets than ours are left out: they cannot be added up.
    """
    report = complete(ProcessReport, given)
    counted = report["counters"]
    buckets = len(Timing.BOUNDS) + 1
    counted["handlers"] = [row for row in counted["handlers"] if len(row["buckets"]) == buckets]
    return report


def _make_empty(hint: Any) -> Any:
    if is_typeddict(hint):
        return complete(hint, {})
    return None if isinstance(hint, UnionType) else (get_origin(hint) or hint)()


def _complete_rows(shape: Any, rows: list[Any]) -> list[Any]:
    # There may be thousands, and nearly always they have all keys.
    return [row if row.keys() >= shape.__required_keys__ else complete(shape, row) for row in rows]


_hints: Callable[[Any], dict[str, Any]] = cache(get_type_hints)
