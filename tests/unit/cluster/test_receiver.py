"""Messages that were lost, and heal: one sender and one receiver, without a loop or a clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_socketio.cluster import healing, kept, receiver, resending
from django_socketio.cluster.groups import Groups
from django_socketio.cluster.healing import Said
from django_socketio.cluster.inbox import Inbox
from django_socketio.cluster.messages import EVERYONE, Kind
from django_socketio.cluster.outbox import Outbox
from django_socketio.cluster.receiver import Receiver
from django_socketio.cluster.resending import Resending
from django_socketio.cluster.sequence import Received
from django_socketio.cluster.signing import Signer, site_secrets
from tests.unit.cluster.layers import note, unsigned

ASKER, OWN = "asker's channel", "sender's channel"
PATIENCE = 4.0
Loses = Callable[[int], bool]


class Pair:
    """A sender and a receiver in the groups "a", "b" and that of everyone.

    What they send arrives in order, or not at all: ``loses`` is asked with the position of each
    message, also of one that is sent again. ``got`` are the numbers that were received, as
    :func:`note` put them into operations, ``lost`` how many messages are missing for good.
    """

    def __init__(self, max_kept: int = 10**6, max_size: int = 10**6) -> None:
        self.box = Outbox(10**7)
        self.sending = Resending("sender", self.box, Signer(site_secrets()), max_kept)
        self.groups = Groups()
        self.receiver = Receiver(self.groups, self._ask, max_size, PATIENCE)
        self.inbox = Inbox("receiver")
        self.loses: Loses = lambda position: False
        self.answers = True
        self.asked: list[list[Any]] = []
        self.got: list[int] = []
        self.lost = 0
        self._now = 0.0
        for group in (EVERYONE, "a", "b"):
            self.join(group)
        self.announce()

    def join(self, group: str) -> None:
        """The receiver joins a group, and has heard itself since."""
        self.receiver.forget_group(group)
        self.groups.join(group)
        self.receiver.own_position += 1
        self.groups.settle(group, self.receiver.own_position - 1)

    def say(self, groups: str, *numbers: int) -> None:
        """Numbered messages go to these groups in turn; "." is the receiver alone."""
        for group, number in zip(groups, numbers, strict=True):
            destination = ("", ASKER) if group == "." else (group, "")
            self.box.put(*destination, note(number), 10)
            self.flush()

    def announce(self) -> None:
        """A heartbeat."""
        self._now += 1
        operation, size = self.sending.announcement(OWN, self._now)
        self.box.put(EVERYONE, "", operation, size)
        self.flush()

    def flush(self) -> None:
        while self.box.size:
            message = self.box.take()
            self.box.sent.finish(message.last)
            if message.packed is None:
                again = [self.sending.pack(message, keep=True)]
            else:
                ((_, again),) = unsigned(message.packed, ASKER)["o"]
            for packed in again:
                content = unsigned(packed, ASKER)
                if (message.channel == ASKER or content["g"] in self.groups) and not self.loses(
                    content["p"]
                ):
                    received = self.inbox.open(content, self.groups)
                    assert received is not None
                    self._take(self.receiver.put(received))

    def tick(self, times: int = 1) -> None:
        for _ in range(times):
            self._take(self.receiver.tick())
            self.flush()

    def _take(self, messages: Iterable[Received]) -> None:
        for message in messages:
            self.lost += message.lost
            for operation in message.operations:
                if operation[0] == Kind.SAID:
                    _, channel, answer, since, until, last, gone = operation
                    ours, lacking = self._ours(last), self._ours(gone)
                    said = Said(channel, answer, since, until, ours, lacking)
                    self._take(self.receiver.said("sender", said))
                else:
                    self.got.append(operation[1])

    def _ours(self, named: list[Any]) -> dict[str, int]:
        return {
            "" if name == ASKER else name: position
            for name, position in named
            if name == ASKER or name in self.groups
        }

    def _ask(self, channel: str, since: int, gaps: list[healing.Gap]) -> None:
        assert channel == OWN
        missing = [list(gap) for gap in gaps]
        self.asked.append(missing)
        if not self.answers:
            return
        answer = self.sending.answer("receiver", ASKER, OWN, since, missing)
        if answer is not None:
            if answer.again is not None:
                self.box.put_packed(ASKER, answer.again, answer.weight)
            milestone = self.box.put("", ASKER, answer.operation, answer.size)
            self.sending.answered("receiver", milestone)


@pytest.fixture
def pair() -> Pair:
    return Pair()


def lose(*positions: int) -> Loses:
    """Loses the messages at these positions, the first time."""
    left = set(positions)

    def loses(position: int) -> bool:
        found = position in left
        left.discard(position)
        return found

    return loses


def test_in_order(pair: Pair) -> None:
    pair.say("aab.ba", 1, 2, 3, 4, 5, 6)
    assert pair.got == [1, 2, 3, 4, 5, 6]
    assert pair.asked == []


def test_a_gap_heals(pair: Pair) -> None:
    """The announcement at the beginning has position 1."""
    pair.loses = lose(3, 4)
    pair.say("aaaaa", 1, 2, 3, 4, 5)
    assert pair.got == [1, 2, 3, 4, 5]
    assert pair.lost == 0
    assert pair.asked == [[["a", 2, 4]]]
    assert not pair.receiver.healing


def test_a_gap_in_what_goes_to_this_process_alone(pair: Pair) -> None:
    pair.loses = lose(3)
    pair.say("...", 1, 2, 3)
    assert pair.got == [1, 2, 3]


def test_the_first_message_in_a_group(pair: Pair) -> None:
    """Nobody has heard of the sender in that group before."""
    pair.loses = lose(2)
    pair.say("aa", 1, 2)
    assert pair.got == [1, 2]


def test_a_loss_at_the_end_heals_with_the_next_heartbeat(pair: Pair) -> None:
    pair.loses = lose(3, 4, 5)
    pair.say("aab.", 1, 2, 3, 4)
    assert pair.got == [1]
    pair.announce()
    assert pair.got == [1, 2, 3, 4]
    assert pair.lost == 0


def test_a_lost_heartbeat_is_missed_with_the_next_one(pair: Pair) -> None:
    pair.loses = lose(3, 4, 5)
    pair.say("aab", 1, 2, 3)
    pair.announce()
    assert pair.got == [1]
    pair.announce()
    assert pair.got == [1, 2, 3]


def test_order_over_groups(pair: Pair) -> None:
    """What was lost in one group comes before what was sent later in another, lost or not."""
    pair.say("ab", 1, 2)
    pair.loses = lose(4, 5, 6, 7)
    pair.say("ababab", 3, 4, 5, 6, 7, 8)
    pair.say("b.", 9, 10)
    assert pair.got == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]


def test_a_gap_of_which_only_the_answer_tells(pair: Pair) -> None:
    """In the group "a" nothing comes behind the gap, but it is older than that in "b"."""
    pair.say("ab", 1, 2)
    pair.loses = lose(4, 5)
    pair.say("abb", 3, 4, 5)
    assert pair.got == [1, 2, 3, 4, 5]
    assert pair.asked == [[["a", 2, 4], ["b", 3, 5]]] or pair.asked == [
        [["b", 3, 5]],
        [["a", 2, 4]],
    ]


def test_the_message_right_before_is_missed_whatever_its_group(pair: Pair) -> None:
    """Nothing is missing in the group "b", but what was lost in "a" comes first."""
    pair.say("ab", 1, 2)
    pair.loses = lose(4)
    pair.say("ab", 3, 4)
    assert pair.got == [1, 2, 3, 4]
    assert pair.asked == [[["a", 2, 4]]]


def test_later_messages_wait(pair: Pair) -> None:
    pair.answers = False
    pair.loses = lose(3)
    pair.say("aaa", 1, 2, 3)
    pair.say("ba.", 4, 5, 6)
    assert pair.got == [1]
    pair.answers = True
    pair.tick(healing.FIRST_PAUSE)
    assert pair.got == [1, 2, 3, 4, 5, 6]


def test_who_gets_no_answer_asks_less_and_less_often_and_gives_up(pair: Pair) -> None:
    pair.answers = False
    pair.loses = lose(3)
    pair.say("aaab", 1, 2, 3, 4)
    ticks = round(PATIENCE / healing.TICK)
    pair.tick(ticks)
    assert pair.got == [1]
    assert 5 <= len(pair.asked) <= ticks / 5
    assert pair.asked.count(pair.asked[0]) == len(pair.asked)
    pair.tick()
    assert pair.got == [1, 3, 4]
    assert pair.lost == 1
    assert not pair.receiver.healing
    pair.say("a", 5)
    assert pair.got == [1, 3, 4, 5]


def test_what_is_kept_no_more_is_lost_at_once() -> None:
    pair = Pair(max_kept=0)
    pair.loses = lose(3, 4)
    pair.say("aaaab", 1, 2, 3, 4, 5)
    assert pair.got == [1, 4, 5]
    assert pair.lost == 2
    pair.loses = lambda position: pair.box.position == position == at
    at = pair.box.position + 1
    pair.say("a", 6)
    pair.announce()
    assert pair.got == [1, 4, 5]
    pair.say("a", 7)
    assert pair.got == [1, 4, 5, 7]
    assert pair.lost == 3


def test_what_is_still_kept_heals_the_end_of_a_gap() -> None:
    pair = Pair(max_kept=2 * (kept.MESSAGE_WEIGHT + kept.OPERATION_WEIGHT + 110))
    pair.loses = lose(3, 4, 5)
    pair.say("aaaaa", 1, 2, 3, 4, 5)
    assert pair.got == [1, 4, 5]
    assert pair.lost == 2


def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    pair = Pair(max_size=1000)
    pair.answers = False
    pair.loses = lose(3)
    pair.say("aa" + "a" * 10, *range(12))
    assert pair.got[:2] == [0, 2]
    assert pair.lost == 1
    assert pair.got[2:] == list(range(3, 12))
    assert not pair.receiver.healing


def test_what_comes_twice(pair: Pair) -> None:
    """While it waits, and afterwards."""
    pair.say("a", 1)
    pair.answers = False
    pair.loses = lose(3)
    pair.say("aab", 2, 3, 4)
    gap = pair.asked[0]
    pair.answers = True
    pair.tick(healing.FIRST_PAUSE)
    assert pair.got == [1, 2, 3, 4]
    pair._ask(OWN, 0, [tuple(gap[0])])
    pair.flush()
    assert pair.got == [1, 2, 3, 4]
    assert pair.lost == 0


def test_who_joins_gets_nothing_that_was_said_before(pair: Pair) -> None:
    pair.say("cc", 1, 2)
    pair.join("c")
    pair.announce()
    assert pair.got == []
    pair.say("c", 3)
    assert pair.got == [3]
    assert pair.asked == []


@pytest.mark.parametrize("heard", [False, True])
def test_a_loss_before_the_sender_is_known_to_know_of_a_join(pair: Pair, heard: bool) -> None:
    """Nobody can tell whether it was sent before the join: it must not come, rather than so."""
    pair.groups.join("c")
    pair.receiver.own_position = 7
    pair.groups.settle("c", 8 - heard)
    if heard:
        pair.receiver.own_position = 8  # behind the join
        pair.announce()
    first = pair.box.position + 1
    pair.loses = lose(first)
    pair.say("cc", 1, 2)
    assert pair.got == ([1, 2] if heard else [2])


def test_a_group_that_is_left_while_it_heals(pair: Pair) -> None:
    pair.answers = False
    pair.loses = lose(3)
    pair.say("aaab", 1, 2, 3, 4)
    pair.groups.leave("a")
    pair.receiver.leave("a")
    pair.answers = True
    pair.tick(healing.FIRST_PAUSE)
    assert pair.got == [1, 4]
    assert pair.lost == 0


def test_a_sender_that_is_gone(pair: Pair) -> None:
    pair.answers = False
    pair.loses = lose(3)
    pair.say("aaa", 1, 2, 3)
    pair.receiver.forget("sender")
    pair.receiver.forget("unknown")
    assert not pair.receiver.healing
    pair.tick()


def test_a_sender_that_says_nothing_of_itself_is_not_asked() -> None:
    """It only sends, and has no channel."""
    pair = Pair()
    pair.receiver.forget("sender")
    pair.loses = lose(3)
    pair.say("aaa", 1, 2, 3)
    assert pair.got == [1, 3]
    assert pair.lost == 1
    assert pair.asked == []


@pytest.mark.parametrize(
    "operation",
    [[Kind.HELLO, OWN, 1.0, False], [Kind.LOGOUT, ["login"], ""]],
    ids=["HELLO", "LOGOUT"],
)
def test_what_is_urgent_is_heard_while_others_wait(pair: Pair, operation: list[Any]) -> None:
    pair.answers = False
    pair.loses = lose(3)
    pair.say("aaa", 1, 2, 3)
    pair.box.put(EVERYONE, "", operation, 0)
    pair.box.put(EVERYONE, "", note(9), 0)
    message = pair.box.take()
    received = pair.inbox.open(unsigned(pair.sending.pack(message, keep=True)), pair.groups)
    assert received is not None
    (urgent,) = pair.receiver.put(received)
    assert urgent.operations == [operation]


def test_memory_is_bounded(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiver, "MAX_SENDERS", 10)
    pair.box.put("a", "", note(1), 0)
    packed = pair.sending.pack(pair.box.take(), keep=False)
    received = pair.inbox.open(unsigned(packed), pair.groups)
    assert received is not None
    for number in range(100):
        pair.receiver.put(received._replace(sender=str(number)))
    assert len(pair.receiver._senders) == 10


def test_a_long_gap_takes_several_answers(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "BATCH", 10)
    monkeypatch.setattr(resending, "MAX_NAMED", 1)
    pair.loses = lose(*range(3, 98))
    numbers = range(100)
    pair.say("ab" * 50, *numbers)
    assert pair.got == list(numbers)
    assert len(pair.asked) < 30


@given(
    st.lists(st.tuples(st.sampled_from("aab.c!"), st.booleans()), max_size=80),
    st.lists(st.booleans(), max_size=60),
)
def test_whatever_is_lost_comes_once_and_in_order(
    messages: list[tuple[str, bool]], again: list[bool]
) -> None:
    """Also where answers are lost. Order over groups holds from where a gap is noticed."""
    pair = Pair()
    said: dict[str, list[int]] = {group: [] for group in "ab."}
    fates: list[bool] = []
    pair.loses = lambda position: fates.pop(0) if fates else False
    number_of: dict[int, str] = {}
    for number, (group, is_lost) in enumerate(messages):
        fates[:] = [is_lost, *again]
        if group == "!":
            pair.announce()
            continue
        pair.say(group, number)
        if group != "c":
            said[group].append(number)
            number_of[number] = group
    fates.clear()
    for _ in range(3):
        pair.announce()
        pair.tick(2 * healing.LONGEST_PAUSE)
    got: dict[str, list[int]] = {group: [] for group in "ab."}
    for number in pair.got:
        got[number_of[number]].append(number)
    assert got == said
    assert pair.lost == 0
    assert not pair.receiver.healing
