"""The last minutes of a process, and the samples of its minutes; times and counters are given."""

from __future__ import annotations

from django_socketio.stats.minutes import KEPT, STEP, CurrentMinute, LastMinutes
from django_socketio.stats.shapes import Counters, complete


def counted(sockets: int = 0, events_in: int = 0, events_out: int = 0, lost: int = 0) -> Counters:
    return complete(
        Counters,
        {
            "sockets": {"total": sockets},
            "sessions": {"total": sockets + 1},
            "traffic": {"events_in": events_in, "events_out": events_out, "bytes_in": 100},
            "connects": {"/": 3, "/chat": 4},
            "handler_errors": {"connect": 1},
            "layer": {"lost": lost, "dropped": lost, "sent": 9},
        },
    )


def test_entries_have_what_happened_since_the_last_one() -> None:
    minutes = LastMinutes()
    minutes.add(101.9, counted(sockets=2, events_in=10, events_out=5))
    minutes.add(106.0, counted(sockets=1, events_in=12, events_out=4))
    minutes.add(111.0, counted(sockets=1, events_in=12, events_out=7))
    assert minutes.since(0) == [[100, 2, 10, 5], [105, 1, 2, 0], [110, 1, 0, 3]]
    assert minutes.since(100) == [[105, 1, 2, 0], [110, 1, 0, 3]]
    assert minutes.since(2**62) == []


def test_ten_minutes_are_kept() -> None:
    minutes = LastMinutes()
    for number in range(KEPT + 7):
        minutes.add(number * STEP, counted())
    assert [entry[0] for entry in minutes.since(0)] == [
        number * STEP for number in range(7, KEPT + 7)
    ]


def test_a_sample_has_the_sums_of_its_minute_and_the_most() -> None:
    minute = CurrentMinute(7, counted(sockets=2, events_in=10, events_out=5))
    minute.note(counted(sockets=9))
    minute.note(counted(sockets=4))
    sample = minute.sample(counted(sockets=3, events_in=15, events_out=4, lost=1), lag=0.25)
    assert sample == {
        "minute": 7,
        "sockets": 9,
        "sessions": 10,
        "connects": 0,
        "events_in": 5,
        "events_out": 0,
        "packets_in": 0,
        "packets_out": 0,
        "bytes_in": 0,
        "bytes_out": 0,
        "errors": 0,
        "lost": 2,
        "lag": 0.25,
    }


def test_the_first_minute_has_all_that_was_counted_before() -> None:
    minute = CurrentMinute(7, complete(Counters, {}))
    sample = minute.sample(counted(sockets=1, events_in=6), lag=0.0)
    assert (sample["events_in"], sample["connects"], sample["errors"]) == (6, 7, 1)
    assert (sample["sockets"], sample["sessions"], sample["bytes_in"]) == (1, 2, 100)
