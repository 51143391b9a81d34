"""The groups without a loop: what the layer has to be told, and what cancels out."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from django_socketio.cluster.groups import Change, Groups


def tell(groups: Groups) -> list[tuple[Change, str]]:
    """Tell a layer all changes; what it was told."""
    told = []
    while groups.changed:
        for turn in groups.take_changes(2):
            change = groups.change(turn.group)
            if change is not None:
                told.append((change, turn.group))
                groups.told(turn.group, change)
            turn.finish()
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


def test_who_causes_changes_takes_turns() -> None:
    """Nobody waits behind the thousands of rooms that another socket joins."""
    groups = Groups()
    for number in range(1000):
        last = groups.join(f"many{number}", "greedy")
    few = [groups.join(name, "modest") for name in ("a", "b")]
    first = groups.take_changes(4)
    assert [turn.group for turn in first] == ["many0", "a", "many1", "b"]
    for turn in first:
        turn.finish()
    assert all(joined.done for joined in few)
    assert not last.done
    tell(groups)
    assert last.done


def test_a_group_that_changes_again_is_told_once() -> None:
    groups = Groups()
    first, other, again = groups.join("g"), groups.join("h"), groups.leave("g")
    (turn,) = groups.take_changes(1)
    turn.finish()
    assert turn.group == "g"
    assert (first.done, other.done, again.done) == (True, False, True)
    assert tell(groups) == [(Change.ADD, "h")]
    assert other.done


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
