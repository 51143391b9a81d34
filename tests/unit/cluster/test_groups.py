"""The groups without a loop: what the layer has to be told, and what cancels out."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from django_socketio.cluster.groups import Change, Groups


def tell(groups: Groups) -> list[tuple[Change, str]]:
    """Tell a layer all changes; what it was told."""
    given, told = groups.synced.given, []
    for group in groups.take_changes():
        change = groups.change(group)
        if change is not None:
            told.append((change, group))
            groups.told(group, change)
    groups.synced.finish(given)
    return told


def test_joining_and_leaving() -> None:
    groups = Groups()
    joined = groups.join("g")
    assert "g" in groups
    assert tell(groups) == [(Change.ADD, "g")]
    assert joined.done
    groups.leave("g")
    assert "g" not in groups
    assert tell(groups) == [(Change.DISCARD, "g")]
    assert not groups.changed


def test_what_cancels_out_is_not_told() -> None:
    groups = Groups()
    groups.join("g")
    groups.leave("g")
    groups.leave("unknown")
    assert groups.changed
    assert tell(groups) == []


def test_rejoining_keeps_the_order() -> None:
    """The group of all processes is joined first, so that heartbeats are soon heard again."""
    groups = Groups()
    for name in "xcab":
        groups.join(name)
    groups.leave("c")
    tell(groups)
    groups.rejoin()
    assert tell(groups) == [(Change.ADD, "x"), (Change.ADD, "a"), (Change.ADD, "b")]


def test_a_group_that_is_left_before_it_is_joined_again() -> None:
    """The layer may have forgotten it, but need not have."""
    groups = Groups()
    groups.join("g")
    tell(groups)
    groups.rejoin()
    groups.leave("g")
    assert tell(groups) == [(Change.DISCARD, "g")]


STEPS = st.lists(
    st.tuples(st.sampled_from(["join", "leave", "rejoin", "tell"]), st.sampled_from("abc")),
    max_size=40,
)


@given(STEPS)
def test_the_layer_knows_in_the_end(steps: list[tuple[str, str]]) -> None:
    groups, wanted, known = Groups(), set[str](), set[str]()

    def follow() -> None:
        for change, group in tell(groups):
            if change is Change.ADD:
                known.add(group)
            else:
                known.remove(group)

    for step, group in steps:
        if step == "join":
            groups.join(group)
            wanted.add(group)
        elif step == "leave":
            groups.leave(group)
            wanted.discard(group)
        elif step == "rejoin":
            groups.rejoin()
        else:
            follow()
            assert known == wanted
    follow()
    assert known == wanted


def test_since_when_a_group_is_joined_for_sure() -> None:
    """From our message on that was the last one when the layer had been told."""
    groups = Groups()
    groups.settle("g", 3)
    assert groups.joined_at("g") is None
    groups.join("g")
    assert groups.joined_at("g") is None
    groups.settle("g", 4)
    groups.settle("g", 9)  # joined again, as after a flush
    assert groups.joined_at("g") == 4
    groups.leave("g")
    groups.join("g")
    assert groups.joined_at("g") is None


def test_a_group_by_the_end_of_its_name() -> None:
    groups = Groups()
    groups.join("socketio.0123456789")
    assert groups.with_tail("23456789") == "socketio.0123456789"
    groups.leave("socketio.0123456789")
    assert groups.with_tail("23456789") is None
