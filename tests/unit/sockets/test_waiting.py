"""What clients have missed, and the sessions that wait for them; time is an argument."""

from __future__ import annotations

from typing import Any

import pytest

from django_socketio.addressing.logins import Login
from django_socketio.addressing.target import Target
from django_socketio.conf import RecoveryOptions
from django_socketio.packets import EncodedPacket
from django_socketio.sockets.missed import OVERHEAD, Kept, Missed, can_be_missed, with_offset
from django_socketio.sockets.waiting import TOO_MANY, TOO_MUCH, TOO_MUCH_IN_ALL, Part, Session
from django_socketio.sockets.waiting import Waiting as Store

DURATION, WINDOW = 120.0, 60.0


class Waiting(Store):
    """A store that notes what it tells; packets are named by a text."""

    def __init__(self, **bounds: Any) -> None:
        self.closed: list[Any] = []
        self.given_up: list[str] = []
        super().__init__(
            "P",
            RecoveryOptions(DURATION, **bounds),
            WINDOW,
            lambda namespace, room, sid: self.closed.append(room),
            self.given_up.append,
        )

    def send(self, name: str, *rooms: str, exclude: tuple[str, ...] = (), now: float = 0) -> str:
        """Keep a packet; its offset."""
        target = Target("/", rooms, exclude)
        self.keep(target, EncodedPacket(f'2["{name}"]'), True, None, now)
        return self.log.offset

    def lose(self, *rooms: str, pid: str = "pid", now: float = 0) -> Session:
        """A session that waits, of a client that has seen no event."""
        session = Session(pid, f"sid of {pid}", "/", None, self.log.position)
        session.rooms = dict.fromkeys((session.sid, *rooms), 0)
        self.add(session, now)
        return session

    def names(self, session: Session, offset: str | None) -> list[str] | None:
        missed = self.missed(session, offset)
        return None if missed is None else [name(kept) for kept in missed]


def name(kept: Kept) -> str:
    return kept.packet.text.split('"')[1]


def given(*names: str, start: int = 1) -> list[Kept]:
    """What a process Q gives, to everybody."""
    return [
        Kept("/", n, f"Q{n:x}", 0, (), (), EncodedPacket(f'2["{text}"]'), True, ("R", n))
        for n, text in enumerate(names, start)
    ]


def test_an_offset_is_the_last_argument() -> None:
    assert with_offset(EncodedPacket('2["a",1]'), "P1").text == '2["a",1,"P1"]'
    packet = with_offset(EncodedPacket('51-/n,["a",{"_placeholder":true,"num":0}]', (b"x",)), "P1")
    assert packet.text == '51-/n,["a",{"_placeholder":true,"num":0},"P1"]'
    assert packet.attachments == (b"x",)


@pytest.mark.parametrize(
    ("packet", "can"),
    [
        (EncodedPacket('2["a"]'), True),
        (EncodedPacket('51-["a"]', (b"",)), True),
        (EncodedPacket('20["a"]', (), 1), False),
        (EncodedPacket("30[]"), False),
        (EncodedPacket("1"), False),
    ],
)
def test_only_events_without_an_id_can_be_missed(packet: EncodedPacket, can: bool) -> None:
    assert can_be_missed(packet) == can


@pytest.mark.parametrize("offset", [None, "", "P", "P99", "P-1x", "Px", "Q1", "P1 2"])
def test_offsets_that_are_none(offset: str | None) -> None:
    log = Missed("P")
    log.add(Target("/"), EncodedPacket('2["a"]'), True, None, 0)
    assert log.position_of(offset) is None
    assert log.position_of(log.offset) == 1


def test_what_is_missed_is_what_was_for_the_session() -> None:
    waiting = Waiting()
    session = waiting.lose("a", "b")
    seen = waiting.send("seen", "a")
    waiting.send("to a", "a")
    waiting.send("to both", "a", "b")
    waiting.send("to c", "c")
    waiting.send("to all")
    waiting.send("without b", "a", exclude=("b",))
    waiting.send("without it", exclude=(session.sid,))
    waiting.send("to it", session.sid)
    assert waiting.names(session, seen) == ["to a", "to both", "to all", "to it"]
    assert waiting.names(session, None) == ["seen", "to a", "to both", "to all", "to it"]
    assert waiting.names(session, "unheard") is None


def test_a_room_counts_from_when_it_was_joined() -> None:
    waiting = Waiting()
    session = waiting.lose()
    waiting.send("before", "late")
    waiting.join(session, "late")
    waiting.send("behind", "late")
    waiting.leave(session, "late")
    assert waiting.closed == ["late"]
    waiting.join(session, "late")
    waiting.send("again", "late")
    assert waiting.names(session, None) == ["again"]


def test_rooms_are_closed_with_the_last_session() -> None:
    waiting = Waiting()
    one, two = waiting.lose("a", pid="1"), waiting.lose("a", "b", pid="2")
    assert waiting.awaits("/", "a")
    assert waiting.awaits("/", None)
    assert not waiting.awaits("/other", None)
    waiting.remove(one)
    assert waiting.closed == ["sid of 1"]
    waiting.remove(two)
    assert waiting.closed == ["sid of 1", "sid of 2", "a", "b", None]
    assert not waiting.awaits("/", "a")
    waiting.remove(two)  # again: nothing more


def test_a_session_waits_for_so_long() -> None:
    waiting = Waiting()
    session = waiting.lose(now=10)
    assert waiting.find("pid", "/", 10 + DURATION) is session
    assert waiting.find("pid", "/other", 10) is None
    assert waiting.find("pid", "/", 10.1 + DURATION) is None
    assert waiting.sessions == {}


def test_old_packets_go_and_sessions_with_them() -> None:
    waiting = Waiting()
    waiting.lose(now=0)
    waiting.send("old", now=0)
    waiting.expire(DURATION + 1)
    assert waiting.sessions == {}
    assert len(waiting.log) == 1
    waiting.expire(DURATION + WINDOW + 1)
    assert waiting.empty
    assert waiting.size == 0


def test_an_old_offset_is_good_where_nothing_was_missed() -> None:
    waiting = Waiting()
    session = Session("pid", "sid", "/", None, 0)
    seen = waiting.send("long ago", "a", now=0)
    waiting.expire(1000)
    waiting.send("not for it", "b", now=1000)
    session.rooms = {"sid": 0, "a": 0}
    waiting.add(session, 1000)
    waiting.send("missed", "a", now=1001)
    assert waiting.names(session, seen) == ["missed"]


def test_too_many_sessions() -> None:
    waiting = Waiting(max_sessions=2)
    for pid in "123":
        waiting.lose(pid=pid)
    assert list(waiting.sessions) == ["2", "3"]
    assert waiting.given_up == [TOO_MANY]


def test_a_session_that_misses_too_much() -> None:
    waiting = Waiting(max_session_size=5 * OVERHEAD)
    one, other = waiting.lose("a", pid="1"), waiting.lose("b", pid="2")
    for _ in range(5):
        waiting.send("x", "a")
    assert one.pid not in waiting.sessions
    assert other.pid in waiting.sessions
    assert waiting.given_up == [TOO_MUCH]


def test_too_much_in_all() -> None:
    waiting = Waiting(max_total_size=5 * OVERHEAD)
    one, other = waiting.lose("a", pid="1"), waiting.lose("b", pid="2")
    waiting.send("needed by one", "a")
    for _ in range(4):
        waiting.send("x", "c")
    assert one.pid not in waiting.sessions
    assert waiting.names(other, None) is None  # nobody can say what it had seen
    assert waiting.given_up == [TOO_MUCH_IN_ALL]
    assert waiting.size <= 5 * OVERHEAD


def test_a_logout() -> None:
    waiting = Waiting()
    for pid, login in {"1": Login("a", "7"), "2": Login("b", "7"), "3": None}.items():
        waiting.lose(pid=pid).login = login
    assert [session.pid for session in waiting.log_out(["a"], "")] == ["1"]
    assert [session.pid for session in waiting.log_out([], "7")] == ["2"]
    assert list(waiting.sessions) == ["3"]


def test_what_came_both_ways_is_there_once() -> None:
    waiting = Waiting()
    session = waiting.lose()

    def arrives(text: str, origin: Any) -> None:
        waiting.keep(Target("/"), EncodedPacket(f'2["{text}"]'), True, origin, 0)

    arrives("R1", ("R", 1))
    arrives("own, before it was asked", None)
    asked_at = waiting.log.position
    arrives("own", None)
    arrives("of the giver, before its answer", ("Q", 5))
    part = Part("Q", given("R1", "R2"), asked_at, waiting.log.position)
    waiting.use_part(session, part)
    arrives("of the giver", ("Q", 6))
    arrives("R2", ("R", 2))
    arrives("R3", ("R", 3))
    arrives("of one that gives no numbers", ("S", 0))
    rest = ["own", "of the giver", "R3", "of one that gives no numbers"]
    assert waiting.names(session, None) == ["R1", "R2", *rest]
    assert waiting.names(session, "Q1") == ["R2", *rest]
    assert waiting.names(session, "Q2") == rest
    assert waiting.names(session, waiting.log.offset) == []
    waiting.resume(session, "Q1")
    waiting.add(session, 1)
    assert waiting.names(session, "Q1") == ["R2", *rest]
    assert waiting.names(session, waiting.log.offset) == []


def test_a_part_of_many_knows_where_it_begins() -> None:
    waiting = Waiting()
    session = waiting.lose()
    session.base, session.part_start = "Q3", 4
    part = Part("Q", given("five", "six", start=5), 0, 0, floor=4)
    waiting.use_part(session, part)
    assert waiting.names(session, "Q3") == ["five", "six"]
    assert waiting.names(session, "Q4") == ["five", "six"]
    assert waiting.names(session, "Q5") == ["six"]
    assert waiting.names(session, "Q2") is None
    session.part_start = 3
    assert waiting.names(session, "Q3") is None
    waiting.drop_part(session)
    assert waiting.size == 0


def test_there_may_be_no_room_for_a_part() -> None:
    waiting = Waiting(max_total_size=OVERHEAD)
    with pytest.raises(OverflowError, match=TOO_MUCH_IN_ALL):
        waiting.use_part(waiting.lose(), Part("Q", given("a", "b"), 0, 0))
