"""Places for sessions that have joined no namespace: who gets one, and who gives his up."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_socketio.sockets import places as module
from django_socketio.sockets.places import (
    TOO_FAST,
    TOO_MANY,
    TOO_MANY_OF_ADDRESS,
    Bounds,
    Crowded,
    Place,
    Places,
)

MANY = 1_000_000


class Table:
    """Places, and the sessions that were sent away; sessions are numbers, by age."""

    def __init__(
        self,
        places: int = MANY,
        places_of_address: int = MANY,
        handshakes: int = MANY,
        refusals: int = MANY,
    ) -> None:
        self.gone: list[int] = []
        bounds = Bounds(places, places_of_address, handshakes, refusals)
        self.places: Places[int] = Places(bounds, self.gone.append)
        self.number = 0
        self.now = 0.0

    def reserve(self, name: str = "a") -> Place[int]:
        return self.places.reserve(name, self.now)

    def come(self, *names: str) -> list[Place[int]]:
        """A session for each name."""
        made = []
        for name in names:
            place = self.reserve(name)
            place.take(self.number, 45)
            self.number += 1
            made.append(place)
        return made

    def refusal(self, name: str = "a") -> str:
        """Why a handshake from this address gets no place."""
        with pytest.raises(Crowded) as caught:
            self.reserve(name)
        return caught.value.reason


def test_places_are_counted_from_their_reservation_to_their_end() -> None:
    table = Table()
    empty = table.reserve()
    (one, other) = table.come("a", "b")
    assert table.places.taken == 3
    for place in (empty, one, other):
        place.leave()
        place.leave()
    assert table.places.taken == 0
    assert table.places.ranking.first() is None


def test_a_place_is_given_back_if_no_session_came_of_it() -> None:
    table = Table()
    empty = table.reserve()
    (taken,) = table.come("a")
    for place in (empty, taken):
        place.leave_if_empty()
        place.leave_if_empty()
    assert table.places.taken == 1


# An address


def test_handshakes_of_an_address_in_a_second() -> None:
    table = Table(handshakes=3)
    table.come("a", "a", "a")
    assert table.refusal() == TOO_FAST
    table.come("b")
    table.now = 0.999
    assert table.refusal() == TOO_FAST
    table.now = 1.0
    table.come("a", "a", "a")
    assert table.refusal() == TOO_FAST
    assert table.gone == []
    assert table.places.taken == 7


def test_an_address_that_is_full_loses_its_oldest_session() -> None:
    table = Table(places_of_address=3)
    table.come("a", "a", "b", "a")
    table.come("a")
    table.come("a")
    assert table.gone == [0, 1]
    assert table.places.taken == 4


def test_a_session_that_enters_a_namespace_does_not_give_way_to_its_own_address() -> None:
    table = Table(places_of_address=3)
    first, second, third = table.come("a", "a", "a")
    first.enter()
    table.come("a")
    assert table.gone == [1]
    for place in (third, *table.places._present["a"].silent):
        place.enter()
    assert table.refusal() == TOO_MANY_OF_ADDRESS
    assert second.deadline == 45
    first.wait()  # it was refused
    table.come("a")
    assert table.gone == [1, 0]


def test_a_handshake_whose_middleware_runs_cannot_be_sent_away() -> None:
    """So there are never more of them than places."""
    table = Table(places=5, places_of_address=3)
    for _ in range(3):
        table.reserve("a")
    assert table.refusal("a") == TOO_MANY_OF_ADDRESS
    for _ in range(2):
        table.reserve("b")
    assert table.refusal("b") == TOO_MANY
    assert table.refusal("c") == TOO_MANY
    assert table.places.taken == 5


def test_clients_without_an_address_have_no_limit_of_their_own() -> None:
    table = Table(places=5, places_of_address=1, handshakes=1, refusals=1)
    table.come("", "", "", "", "")
    assert table.gone == []
    table.come("")
    assert table.gone == [0]
    assert all(table.places.refused("", 0.0) for _ in range(10))


def test_refusals_of_an_address_in_a_second() -> None:
    places = Table(refusals=2).places
    assert [places.refused("a", 0.5) for _ in range(3)] == [True, True, False]
    assert places.refused("b", 0.5)
    assert not places.refused("a", 1.4)
    assert places.refused("a", 1.5)


# The process


def test_the_address_that_has_most_loses_its_oldest_session() -> None:
    table = Table(places=6)
    table.come("a", "b", "b", "c", "b", "c")
    table.come("d")
    assert table.gone == [1]
    # Who has as many as any other loses its own.
    table.come("c", "a", "a")
    assert table.gone == [1, 3, 2, 0]
    counts = {name: address.sessions for name, address in table.places._present.items()}
    assert counts == {"a": 2, "b": 1, "c": 2, "d": 1}


def test_a_flood_sends_nobody_away_but_its_own() -> None:
    table = Table(places=100, places_of_address=50)
    honest = table.come(*(f"honest {number}" for number in range(50)))
    table.number = 1000
    table.come(*["evil"] * 10_000)
    assert table.gone == list(range(1000, 1000 + 9950))
    table.number = 20_000
    table.come(*(f"new {number}" for number in range(49)))
    assert not {*range(50)} & {*table.gone}
    assert not {*range(20_000, 20_049)} & {*table.gone}
    for place in honest:
        place.leave()
    assert table.places.taken == 50


def test_a_flood_that_enters_slow_namespaces_gives_way_too() -> None:
    table = Table(places=10, places_of_address=8)
    for place in table.come(*["evil"] * 8):
        place.enter()
    table.come("a", "b", "c")
    assert table.gone == [0]
    assert table.refusal("evil") == TOO_MANY  # its own sessions do not give way to it


def test_a_server_that_is_merely_busy_finishes_what_it_has_begun() -> None:
    table = Table(places=3)
    entering = table.come("a", "b", "c")
    for place in entering:
        place.enter()
    assert table.refusal("d") == TOO_MANY
    assert table.refusal("a") == TOO_MANY
    entering[1].leave()
    table.come("d")
    assert table.gone == []


# Memory


def test_addresses_are_forgotten() -> None:
    table = Table(handshakes=1)
    for number in range(100):
        table.reserve(f"{number}").leave()
    assert len(table.places) == 100
    assert table.refusal("5") == TOO_FAST
    table.now = 1.0
    (place,) = table.come("5")
    assert len(table.places) == 1
    place.leave()
    table.now = 100.0
    table.places.refused("6", table.now)
    assert [*table.places._absent] == ["6"]


def test_no_more_addresses_are_remembered_than_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ADDRESSES", 10)
    table = Table()
    table.come("a")
    for number in range(100):
        table.reserve(f"{number}").leave()
        table.places.refused(f"r{number}", 0.0)
    assert len(table.places) == 11
    assert table.places._present["a"].sessions == 1


names = st.sampled_from(["", "a", "b", "c"])
steps = st.lists(
    st.tuples(st.sampled_from(["reserve", "come", "enter", "wait", "leave"]), names, st.integers()),
    max_size=80,
)


@given(steps)
def test_the_books_are_right_whatever_happens(steps: Any) -> None:
    gone: list[Place[int]] = []
    places: Places[Any] = Places(Bounds(8, 4, MANY, MANY), gone.append)
    held: dict[Place[Any], str] = {}
    for what, name, number in steps:
        if what in ("reserve", "come"):
            try:
                place = places.reserve(name, 0.0)
            except Crowded:
                continue
            for old in gone:
                del held[old]
            gone.clear()
            held[place] = name
            if what == "come":
                place.take(place, 1.0)
        elif held:
            place = list(held)[number % len(held)]
            getattr(place, what)()
            if what == "leave":
                del held[place]
        assert places.taken == len(held) <= 8
        found = {name: address.places for name, address in places._present.items()}
        assert found == {name: [*held.values()].count(name) for name in set(held.values())}
        assert all(found.get(name, 0) <= 4 for name in "abc")
        sessions = [address.sessions for address in places._present.values()]
        first = places.ranking.first()
        assert (first.sessions if first else 0) == max(sessions, default=0)
    for place in held:
        place.leave()
    assert places.taken == 0
    assert places.ranking._by_number == {}
