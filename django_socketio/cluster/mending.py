"""What was lost: this process asks for what it misses, and sends again what others miss."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from ..stats import counters
from .groups import Groups
from .healing import TICK, Gap, Said
from .inbox import Inbox
from .messages import EVERYONE, PRIVATE, Kind, check_items
from .outbox import Outbox, OutgoingMessage
from .progress import Milestone
from .receiver import Receiver
from .resending import Resending
from .sequence import NONE, Received
from .signing import Signer

# Sends an operation to a group, or to a channel where the group is empty; with its size in bytes.
Send = Callable[[str, str, list[Any], int], Milestone]

# What SAID and AGAIN name: a destination or a group, and positions.
POSITION, GAP = (str, int), (str, int, int)


class Mending:
    """See the module's docstring. ``node`` is this process's id, ``channel`` its channel.

    ``carry_out`` is called with messages whose turn it is. At most about ``max_kept`` bytes are
    kept to be sent again, and as many of each sender wait for what is missing: ``patience`` seconds
    without progress, while ``up`` says that the layer works.
    """

    def __init__(
        self,
        node: str,
        outbox: Outbox,
        inbox: Inbox,
        groups: Groups,
        signer: Signer,
        send: Send,
        carry_out: Callable[[Iterable[Received]], None],
        up: Callable[[], bool],
        max_kept: int,
        patience: float,
    ) -> None:
        self.channel = ""
        self.receiver = Receiver(groups, self._ask, max_kept, patience)
        self._resending = Resending(node, outbox, signer, max_kept)
        self._outbox = outbox
        self._inbox = inbox
        self._groups = groups
        self._signer = signer
        self._send = send
        self._carry_out = carry_out
        self._up = up
        # What other processes were asked for, by their channels, until it is sent.
        self._questions: dict[str, Milestone] = {}
        # Set while something is missing.
        self._ticking: asyncio.TimerHandle | None = None
        # What to do with the operations of other processes, by their kind.
        self.handlers: dict[int, Callable[..., None]] = {
            Kind.SAID: self._on_said,
            Kind.AGAIN: self._on_again,
        }

    def stop(self) -> None:
        """Ask for nothing more."""
        if self._ticking is not None:
            self._ticking.cancel()

    # What others send

    def take(self, received: Received) -> None:
        """Take a message of another process."""
        if received.numbers == NONE:
            self._take_again(received.operations)
        else:
            self._pass_on(self.receiver.put(received))

    def _take_again(self, operations: list[list[Any]]) -> None:
        """Take what a process sends again: whole messages, each as it was."""
        for operation in operations:
            for message in operation[1] if operation[0] == Kind.RESENT else ():
                content = self._signer.open(message, self.channel)
                received = None if content is None else self._inbox.open(content, self._groups)
                if received is not None and received.numbers != NONE:
                    self._pass_on(self.receiver.put(received))

    def _pass_on(self, messages: Iterable[Received]) -> None:
        self._carry_out(messages)
        if self.receiver.healing and self._ticking is None:
            self._ticking = asyncio.get_running_loop().call_later(TICK, self._tick)

    def _tick(self) -> None:
        self._ticking = None
        # While the layer is down nothing comes, so nobody's patience ends.
        self._pass_on(self.receiver.tick() if self._up() else ())

    def _ask(self, channel: str, since: int, gaps: list[Gap]) -> None:
        """Ask a process, by its channel, for what is missing, unless such a question waits."""
        questions = self._questions = {
            to: question for to, question in self._questions.items() if not question.done
        }
        if channel not in questions:
            question = [Kind.AGAIN, self.channel, since, [list(gap) for gap in gaps]]
            questions[channel] = self._send("", channel, question, 100 * len(gaps))

    def _on_said(
        self,
        sender: str,
        channel: str,
        answer: bool,
        since: int,
        until: int,
        last: list[Any],
        gone: list[Any],
    ) -> None:
        check_items(last, POSITION)
        check_items(gone, POSITION)
        said = Said(channel, answer, since, until, self._ours(last), self._ours(gone))
        self._pass_on(self.receiver.said(sender, said))

    def _ours(self, positions: list[Any]) -> dict[str, int]:
        """Return the positions of destinations that we are, by their groups."""
        private = {group + self.channel: group for group in PRIVATE}
        return {
            private.get(name, name): position
            for name, position in positions
            if name in private or name in self._groups
        }

    # What this process sends

    def pack(self, message: OutgoingMessage) -> dict[str, Any] | None:
        """Return a message as the layer takes it, and keep it if others could ask for it.

        Returns None for what cannot be packed.
        """
        return self._resending.pack(message, keep=bool(self.channel))

    def drop_overflow(self) -> int:
        """Drop what overflows the outbox, and return how many operations that is.

        It can be asked for as long as it is kept.
        """
        dropped = 0
        for message in self._outbox.drop_overflow():
            if message.packed is None:
                dropped += len(message.operations)
                self.pack(message)
        return dropped

    def refuse(self, message: OutgoingMessage) -> None:
        """Note that the layer cannot carry a message."""
        self._resending.kept.refuse(message.numbers.position)

    def say_where_we_stand(self) -> None:
        """Tell everybody the last positions of what was sent since this was said last."""
        if self.channel:
            now = asyncio.get_running_loop().time()
            self._send(EVERYONE, "", *self._resending.announcement(self.channel, now))

    def say_where_we_stand_to(self, channel: str) -> None:
        """Tell one process that does not know yet."""
        if self.channel:
            self._send("", channel, *self._resending.position(self.channel))

    def _on_again(self, sender: str, channel: str, since: int, missing: list[Any]) -> None:
        check_items(missing, GAP)
        answer = self._resending.answer(sender, channel, self.channel, since, missing)
        if answer is None:
            return  # it asks once more, if it is still in need
        if answer.again is not None:
            counters.layer.add("sent again", answer.messages)
            self._outbox.put_packed(channel, answer.again, answer.weight)
        self._resending.answered(sender, self._send("", channel, answer.operation, answer.size))
