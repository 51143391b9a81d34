"""What comes from the other processes, put into order: gaps heal, or are counted.

Without I/O. A message that comes behind a gap waits until its sender has sent again what is
missing; what cannot be had any more is lost.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial

from ..stats import counters
from .groups import Groups
from .healing import TICK, Gap, Healing, Said
from .messages import PRIVATE, Kind
from .sequence import Numbers, Received

# Senders that a receiver keeps numbers of: commands come and go without a word.
MAX_SENDERS = 10_000
# What is carried out at once though the message waits: order means nothing to it, or haste more.
URGENT = {Kind.HELLO, Kind.SAID, Kind.AGAIN, Kind.LOGOUT}

# Asks a process, by its channel, what it has said behind a position, and for what is missing.
Ask = Callable[[str, int, list[Gap]], None]


class Heard:
    """What this process knows of one sender."""

    __slots__ = ("channel", "confirmed", "last", "position", "whole")

    def __init__(self) -> None:
        # By group: the number and the position of the last message that was carried out.
        self.last: dict[str, tuple[int, int]] = {}
        # That of the last one of all.
        self.position = 0
        # The sender's channel; empty as long as it has not said where it stands.
        self.channel = ""
        # Up to which of its positions nothing is missing, and our own position that had come back
        # when that was known.
        self.whole = 0
        self.confirmed = 0


class Receiver:
    """Puts messages into order.

    ``groups`` are those of this process. At most about ``max_size`` bytes of one sender wait for
    what is missing, and ``patience`` seconds without progress.
    """

    def __init__(self, groups: Groups, ask: Ask, max_size: int, patience: float) -> None:
        self.healing: dict[str, Healing] = {}
        # The last position of this process itself that has come back to it.
        self.own_position = 0
        self._groups = groups
        self._ask = ask
        self._max_size = max_size
        self._patience = round(patience / TICK)
        self._senders: OrderedDict[str, Heard] = OrderedDict()

    def put(self, message: Received) -> Sequence[Received]:
        """Take a message. Returns what is to be carried out now, in order."""
        sender, group, numbers, _, _ = message
        heard = self._heard(sender)
        healing = self.healing.get(sender) if self.healing else None
        before: str | None = None
        if healing is None:
            position = numbers.position
            if position != heard.position + 1:
                before = self._missed_before(heard, numbers)
            heard.position = position
            if before is None:
                last = heard.last.get(group)
                if last is not None and numbers.previous == last[1]:
                    heard.last[group] = numbers.number, position
                    return (message,)
                reached = self._reached(heard, group)
                if reached is None or numbers.previous <= reached or not heard.channel:
                    return self._accept(heard, [message])
        urgent = [operation for operation in message.operations if operation[0] in URGENT]
        if urgent:
            others = [item for item in message.operations if item[0] not in URGENT]
            message = message._replace(operations=others)
        if healing is None:
            healing = self._begin(sender, heard, numbers.position)
            if before is not None:
                healing.announced(before, numbers.position - 1)
            healing.hold(message)
            self._ask_if_new(heard, healing)
        elif not healing.hold(message):
            counters.layer.add("duplicate")
            return ()
        taken: list[Received] = [message._replace(operations=urgent)] if urgent else []
        if healing.size > self._max_size:
            taken += self._give_up(sender, healing)
        return taken

    def said(self, sender: str, said: Said) -> Sequence[Received]:
        """Take what a sender says of its messages.

        Returns what is to be carried out now, in order.
        """
        heard = self._heard(sender)
        healing = self.healing.get(sender)
        if not heard.channel:
            heard.channel = said.channel
            self._is_whole(heard, said.until)
            return ()
        asks = said.answer
        if healing is None:
            if said.since <= heard.whole and not self._lacks(heard, said.last):
                self._is_whole(heard, max(heard.whole, said.until))
                return ()
            healing, asks = self._begin(sender, heard, said.until), True
        healing.said(said)
        if healing.whole > heard.whole:
            self._is_whole(heard, healing.whole)
        ready, over = healing.take()
        if over:
            del self.healing[sender]
        elif asks:
            self._ask_if_new(heard, healing)
        return self._accept(heard, ready)

    def tick(self) -> list[Received]:
        """Ask again where no answer came, and give up what is hopeless.

        To be called every :data:`TICK` seconds while :attr:`healing` is not empty. Returns what is
        to be carried out now, in order.
        """
        given_up: list[Received] = []
        for sender, healing in list(self.healing.items()):
            gaps = healing.tick()
            if healing.hopeless:
                given_up += self._give_up(sender, healing)
            elif gaps is not None:
                self._ask(self._senders[sender].channel, healing.whole, gaps)
        return given_up

    def forget_group(self, group: str) -> None:
        """Forget the numbers of a group: this process has not been in it for a while."""
        for heard in self._senders.values():
            heard.last.pop(group, None)
        self.leave(group)

    def leave(self, group: str) -> None:
        """Drop what waits of a group."""
        for healing in self.healing.values():
            healing.forget(group)

    def forget(self, sender: str) -> None:
        """Forget a sender that is gone."""
        self._senders.pop(sender, None)
        self.healing.pop(sender, None)

    def _heard(self, sender: str) -> Heard:
        heard = self._senders.get(sender)
        if heard is None:
            heard = self._senders[sender] = Heard()
            if len(self._senders) > MAX_SENDERS:
                self.forget(next(iter(self._senders)))
        else:
            self._senders.move_to_end(sender)
        return heard

    # What is missing

    def _reached(self, heard: Heard, group: str) -> int | None:
        """Return up to which position nothing of a group is missing.

        None where this process has no claim to the next one: it has heard none yet, and may have
        joined the group when that had been sent.
        """
        last = heard.last.get(group)
        if last is not None:
            return last[1]
        if not heard.channel:
            return None
        if group in PRIVATE:
            return heard.whole
        joined = self._groups.joined_at(group)
        return None if joined is None or joined >= heard.confirmed else heard.whole

    def _missed_before(self, heard: Heard, numbers: Numbers) -> str | None:
        """Return the group of which the message right before this one is missing, if it is."""
        group = self._groups.with_tail(numbers.before)
        if group is None or not heard.channel:
            return None
        reached = self._reached(heard, group)
        return None if reached is None or reached >= numbers.position - 1 else group

    def _lacks(self, heard: Heard, last: dict[str, int]) -> bool:
        """Return whether some messages are missing, by the last positions that there are."""
        for group, position in last.items():
            reached = self._reached(heard, group)
            if reached is not None and reached < position:
                return True
        return False

    def _is_whole(self, heard: Heard, position: int) -> None:
        """Note that nothing of a sender is missing up to a position, or it is known what is."""
        heard.whole, heard.confirmed = position, self.own_position

    def _begin(self, sender: str, heard: Heard, noticed: int) -> Healing:
        healing = Healing(partial(self._reached, heard), heard.whole, noticed, self._patience)
        self.healing[sender] = healing
        return healing

    def _ask_if_new(self, heard: Heard, healing: Healing) -> None:
        """Ask for what is missing, unless the same was asked for before."""
        gaps = healing.progress()
        if gaps is not None:
            self._ask(heard.channel, healing.whole, gaps)

    def _give_up(self, sender: str, healing: Healing) -> list[Received]:
        del self.healing[sender]
        return self._accept(self._senders[sender], healing.take_all())

    def _accept(self, heard: Heard, messages: list[Received]) -> list[Received]:
        """Note that messages are carried out now, and what was lost before each."""
        accepted: list[Received] = []
        for message in messages:
            group, numbers = message.group, message.numbers
            last = heard.last.get(group)
            lost = 0
            if last is not None:
                if numbers.position <= last[1]:
                    counters.layer.add("duplicate")
                    continue
                lost = max(0, numbers.number - max(last[0] + 1, numbers.first))
            heard.last[group] = numbers.number, numbers.position
            if lost:
                counters.layer.add("lost", lost)
                message = message._replace(lost=lost)
            accepted.append(message)
        return accepted
