"""Many JavaScript clients that keep a record of what happens to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.harness.node import Runner
from tests.harness.servers import Server
from tests.harness.waiting import until

NODE_LENGTH = 8

WEBSOCKET = ["websocket"]
POLLING = ["polling"]
DEFAULT = ["polling", "websocket"]


def nodes(workers: list[Server]) -> list[str]:
    """The ids of server processes."""
    return [worker.counts()["node"] for worker in workers]


@dataclass
class Member:
    """One client's record. ``place`` is the number of the URL that it connects to."""

    place: int
    sid: str | None
    transport: str
    # A dict for each time its connection was lost: "reason", "sid" and, if it is back, "seconds".
    losses: list[dict[str, Any]]
    errors: list[Any]
    # From each connect to the next loss: by the sender's process, what came of its numbers.
    runs: list[dict[str, dict[str, int]]]
    # Questions that it asked, and those that were answered.
    said: int
    heard: int
    # Questions that it was asked.
    asked: int
    # Seconds until the latest answer came, of those since the last report.
    slowest: float

    @property
    def node(self) -> str:
        """The process that it is connected to."""
        assert self.sid is not None, self
        return self.sid[:NODE_LENGTH]

    def last(self, node: str) -> int:
        """The last number that came from a process."""
        return max((run[node]["last"] for run in self.runs if node in run), default=-1)

    def missed(self, node: str) -> int:
        """How many of a process's numbers did not come while it was connected."""
        return sum(run[node]["missed"] for run in self.runs if node in run)

    @property
    def in_order(self) -> bool:
        """Whether each number came at most once and after those before it."""
        return not any(seen["disorder"] for run in self.runs for seen in run.values())


class Crowd:
    """``each`` clients for every URL, with one of the ``transports`` in turn.

    With ``tick`` the first client of each URL makes its process tell everybody a number every so
    many seconds; with ``say`` each asks a question every so many milliseconds. ``answer`` is how
    many milliseconds they take to answer one.
    """

    def __init__(
        self,
        runner: Runner,
        urls: list[str],
        each: int = 10,
        transports: list[list[str]] | None = None,
        tick: float | None = None,
        say: float | None = None,
        **options: Any,
    ) -> None:
        self._run = runner.start(
            "crowd",
            urls[0],
            urls=urls,
            each=each,
            transports=transports or [WEBSOCKET],
            tick=tick,
            say=say,
            **options,
        )
        self._round = 0
        # The same for everybody, since a test set it to 0.
        self.slowest = 0.0
        self._running = True
        self.members = self.report()

    def _ask(self, word: str) -> list[Member]:
        self._run.go(f"{word} {self._round}")
        self._round += 1
        members = [Member(**member) for member in self._run.wait_for("report")]
        self.slowest = max(self.slowest, *(member.slowest for member in members))
        return members

    def report(self) -> list[Member]:
        """Everybody's record so far."""
        self.members = self._ask("report")
        return self.members

    def wait_for_more(self, of: list[str], places: tuple[int, ...] | None = None) -> None:
        """Wait until everybody (at some places) gets new numbers from all of these processes."""
        self.report()
        wanted = {node: 10 + max(member.last(node) for member in self.members) for node in of}

        def gets() -> bool:
            return all(
                member.last(node) >= wanted[node]
                for member in self.report()
                for node in of
                if places is None or member.place in places
            )

        until(gets, f"everybody to get more numbers of {of}")

    def wait_until_back(self, among: list[str], deadline: float = 15.0) -> None:
        """Wait until everybody is connected to one of these processes."""
        until(
            lambda: all(member.sid and member.node in among for member in self.report()),
            "everybody to be back",
            deadline,
        )

    @property
    def losses(self) -> int:
        """How often a connection was lost, as last reported."""
        return sum(len(member.losses) for member in self.members)

    def wait_until_heard(self, numbers: list[int]) -> None:
        """Wait until everybody has had so many answers."""

        def done() -> bool:
            pairs = zip(self.report(), numbers, strict=True)
            return all(member.heard >= number for member, number in pairs)

        until(done, "everybody to be answered")

    def wait_for_losses(self, number: int) -> None:
        """Wait until connections have been lost so often."""
        until(lambda: self.report() and self.losses >= number, "connections to be lost")

    def stop(self) -> list[Member]:
        """End it, return what it was."""
        if self._running:
            self._running = False
            self.members = self._ask("stop")
            self._run.result()
        return self.members
