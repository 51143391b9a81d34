"""Connection state recovery: what a client gets that comes again with a private id and an offset.

https://socket.io/docs/v4/connection-state-recovery
"""

from __future__ import annotations

import json
from typing import Any

from tests.conformance.client import Side, WebSocket
from tests.conformance.scenarios.registry import Observed, scenario


class Visitor:
    """A client in "/", that remembers what the official one does."""

    def __init__(self, side: Side, **auth: Any) -> None:
        self.side = side
        self.tag = side.tag()
        self.socket: WebSocket = side.websocket()
        self.socket.open()
        self.offset: str | None = None
        # Node sends what was missed before its answer to CONNECT, ours behind it.
        self.early: list[Any] = []
        frame = self.socket.connect("40" + json.dumps({"tag": self.tag, **auth}))
        while frame[:2] != "40":
            self.early.append(self._see(frame))
            frame = self.socket.receive()
            while isinstance(frame, dict):
                self.early.append(frame)
                frame = self.socket.receive()
        self.data = json.loads(frame[2:])

    def see(self, count: int) -> list[Any]:
        """The next events, without their offsets."""
        return [self._see(frame) for frame in self.socket.frames(count)]

    def _see(self, frame: Any) -> Any:
        if not isinstance(frame, str) or frame[:2] not in ("42", "45"):
            return frame
        head, bracket, rest = frame.partition("[")
        event = json.loads(bracket + rest)
        if head[2:].isdigit() or not isinstance(event[-1], str) or len(event) < 2:
            return [head, *event]
        self.offset = event.pop()
        return [head, *event, "offset"]

    def rest(self) -> list[Any]:
        """All events that come before the answer to an echo."""
        early, self.early = self.early, []
        return early + [self._see(frame) for frame in self.socket.answers()]

    def lose(self) -> None:
        self.socket.drop()
        self.side.log(self.tag, "disconnect")

    def again(self, **auth: Any) -> tuple[Visitor, Any]:
        """A client that comes again, and whether it is the same to the server."""
        known = {"pid": self.data.get("pid"), "offset": self.offset, **auth}
        come = Visitor(self.side, **{key: value for key, value in known.items() if value != ""})
        same = come.data.get("pid") == self.data.get("pid")
        return come, ("recovered" if same else "new", sorted(come.data))


def member(side: Side) -> Visitor:
    """A client in the room, that has seen an event."""
    visitor = Visitor(side)
    visitor.socket.send('42["room"]')
    visitor.see(2)
    return visitor


@scenario("recovery")
def what_is_missed_comes_again(side: Side) -> Observed:
    visitor, other = member(side), Visitor(side)
    seen: Observed = {"data": sorted(visitor.data)}
    visitor.socket.send('42["say",1,{"a":[true]}]', '42["say","text"]')
    seen["events"] = visitor.see(2)
    visitor.lose()
    other.socket.send('42["room"]', '42["room"]')
    other.see(5)
    back, seen["way"] = visitor.again()
    seen["missed"] = back.rest()
    other.socket.send('42["room"]')
    seen["more"] = back.see(2)
    back.lose()
    other.socket.send('42["room"]')
    other.rest()
    back, seen["way again"] = back.again()
    seen["missed again"] = back.rest()
    return seen


@scenario("recovery")
def what_was_not_seen_comes_again(side: Side) -> Observed:
    visitor = member(side)
    offset = visitor.offset
    visitor.socket.send('42["burst",3]', '42["binary"]')
    seen: Observed = {"events": visitor.see(6)}
    visitor.lose()
    back, seen["way"] = visitor.again(offset=offset)
    seen["missed"] = back.rest()
    return seen


@scenario("recovery")
def what_is_not_kept(side: Side) -> Observed:
    visitor = member(side)
    offset = visitor.offset
    visitor.socket.send('42["volatile"]', '42["say",1]', '42["ask"]')
    seen: Observed = {"events": visitor.see(3)}
    visitor.lose()
    back, seen["way"] = visitor.again(offset=offset)
    seen["missed"] = back.rest()
    return seen


@scenario("recovery")
def claims(side: Side) -> Observed:
    seen: Observed = {}
    auths: dict[str, dict[str, Any]] = {
        "unknown offset": {"offset": "unheard"},
        "offset of a number": {"offset": 5},
        "offset of null": {"offset": None},
        "no offset": {"offset": ""},
        "unknown id": {"pid": "x" * 28},
        "id of a number": {"pid": 5},
        "short id": {"pid": "x"},
        "no id": {"pid": ""},
    }
    for label, auth in auths.items():
        visitor = member(side)
        visitor.lose()
        seen[label] = visitor.again(**auth)[1]
    return seen


@scenario("recovery")
def once(side: Side) -> Observed:
    visitor = member(side)
    visitor.lose()
    seen: Observed = {"first": visitor.again()[1]}
    visitor = member(side)
    seen["while it is there"] = visitor.again()[1]
    return seen


@scenario("recovery")
def how_it_was_lost(side: Side) -> Observed:
    seen: Observed = {}
    for label, packets in {
        "left": ("41",),
        "closed by the server": ('42["leave"]',),
        "all closed by the server": ('42["leave all"]',),
    }.items():
        visitor = member(side)
        visitor.socket.send(*packets)
        side.log(visitor.tag, "disconnect")
        seen[label] = visitor.again()[1]
    return seen
