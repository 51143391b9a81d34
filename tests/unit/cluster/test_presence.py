"""Presence over processes that come, end and are killed, on a simulated network and clock.

The processes are real `Presence` objects; what they say is late, but in order for each pair.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any

import pytest

from django_socketio.addressing.rooms import UserRoom
from django_socketio.cluster.messages import Kind, is_well_formed
from django_socketio.cluster.presence import YOUTH, Presence
from django_socketio.cluster.presence_table import HELD, Fact, PresenceTable
from django_socketio.conf import Settings

GRACE, TIMEOUT = 5.0, 4.0
# How much longer than the grace, and for a dead process the timeout, an announcement may take.
SLACK = 3.0
# A time of day, in seconds since 1970.
DAY = 1e9


class Pause:
    """Awaited in the simulation: so many seconds."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __await__(self) -> Generator[Any, None, None]:
        yield self.seconds


class Handle:
    def __init__(self, call: Callable[[], Any]) -> None:
        self.call: Callable[[], Any] | None = call

    def cancel(self) -> None:
        self.call = None


class Clock:
    """What `Presence` needs of an event loop and of `Runtime`, with a clock that only runs here."""

    def __init__(self) -> None:
        self.now = 0.0
        self.loop = self
        self._queue: list[tuple[float, int, Handle]] = []
        self._numbers = itertools.count()

    def time(self) -> float:
        return self.now

    def call_later(self, seconds: float, function: Callable[..., Any], *args: Any) -> Handle:
        handle = Handle(lambda: function(*args))
        heapq.heappush(self._queue, (self.now + seconds, next(self._numbers), handle))
        return handle

    def call_soon(self, function: Callable[..., Any], *args: Any) -> Handle:
        return self.call_later(0, function, *args)

    def spawn(self, coro: Coroutine[Any, Any, Any]) -> None:
        try:
            pause = coro.send(None)
        except StopIteration:
            return
        self.call_later(pause or 0, self.spawn, coro)

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while self._queue and self._queue[0][0] <= end:
            self.now, _, handle = heapq.heappop(self._queue)
            if handle.call is not None:
                handle.call()
        self.now = end


class Process:
    """One process: its `Presence`, and the parts of the cluster that it is given."""

    def __init__(self, site: Site, number: int) -> None:
        self.site, self.node = site, f"node{number:04}"
        self.peers: dict[str, None] = {}
        self.interval = 1.0
        self.ending = False
        self.joined: Callable[[str], None] = lambda node: None
        self.sockets: list[UserRoom] = []
        clock: Any = site.clock
        settings = Settings(presence=True, presence_grace=GRACE, heartbeat_timeout=TIMEOUT)
        self.presence = Presence(
            clock, settings, self.node, self._announce, lambda: self.ending, self._clock
        )
        me: Any = self
        peers: Any = _Peers(self)
        self.presence.join(me, me, peers, me)

    def _clock(self) -> float:
        """Clocks differ from process to process."""
        return 1e9 + self.site.clock.now + int(self.node[-1]) / 5

    def _announce(self, user: UserRoom, online: bool) -> None:
        self.site.announced[user].append((self.site.clock.now, online, self.node))

    # In place of Bus, Router and Membership

    @property
    def up(self) -> bool:
        return not self.site.down

    @property
    def echoed_at(self) -> float:
        return self.site.down_since if self.site.down else self.site.clock.now

    def to_group(self, group: str, operation: list[Any], size: int = 0) -> None:
        for other in list(self.site.processes.values()):
            self.site.send(self, other, operation)

    def to_node(self, node: str, operation: list[Any], size: int = 0) -> None:
        if node in self.peers and node in self.site.processes:
            self.site.send(self, self.site.processes[node], operation)

    def settled(self) -> Awaitable[None]:
        return Pause(0.3)

    # What it does

    def hear_hello(self, node: str, wanted: bool) -> None:
        if node not in self.peers:
            self.peers[node] = None
            self.joined(node)
        if wanted:
            self.to_node(node, [Kind.HELLO, self.node, False])

    def lose(self, node: str) -> None:
        if self.peers.pop(node, self) is None:
            self.presence.departed(node)

    def receive(self, sender: str, operation: list[Any]) -> None:
        kind, *items = operation
        if kind == Kind.HELLO:
            self.hear_hello(sender, items[1])
        elif kind == Kind.BYE:
            self.lose(sender)
        else:
            assert is_well_formed(operation)
            self.presence.handlers[kind](sender, *items)

    def come(self, user: UserRoom) -> None:
        self.sockets.append(user)
        self.presence.came((user,))

    def go(self, user: UserRoom) -> None:
        self.sockets.remove(user)
        self.presence.went((user,))


class _Peers:
    def __init__(self, process: Process) -> None:
        self._process = process

    def __contains__(self, node: str) -> bool:
        return node in self._process.peers

    def nodes(self) -> set[str]:
        return set(self._process.peers)


class Site:
    """All processes, the network between them, and what was announced of each user."""

    def __init__(self, seed: int = 0) -> None:
        self.clock = Clock()
        self.random = random.Random(seed)
        self.processes: dict[str, Process] = {}
        self.announced: defaultdict[UserRoom, list[tuple[float, bool, str]]] = defaultdict(list)
        self.down = False
        self.down_since = 0.0
        self._numbers = itertools.count()
        # When the last message of a pair arrives; what waits for the layer to come back.
        self._last: defaultdict[tuple[str, str], float] = defaultdict(float)
        self._waiting: list[tuple[Process, Process, list[Any]]] = []

    def start(self) -> Process:
        process = Process(self, next(self._numbers))
        self.processes[process.node] = process
        process.to_group("", [Kind.HELLO, process.node, True])
        return process

    def send(self, sender: Process, receiver: Process, operation: list[Any]) -> None:
        if sender is receiver:
            return
        if self.down:
            self._waiting.append((sender, receiver, operation))
            return
        pair = sender.node, receiver.node
        at = max(self._last[pair], self.clock.now + self.random.uniform(0.001, 0.05))
        self._last[pair] = at
        self.clock.call_later(at - self.clock.now, self._deliver, receiver, sender.node, operation)

    def _deliver(self, receiver: Process, sender: str, operation: list[Any]) -> None:
        if self.processes.get(receiver.node) is receiver:
            receiver.receive(sender, operation)

    def kill(self, process: Process) -> None:
        """End it as kill -9 does: the others notice by and by."""
        del self.processes[process.node]
        process.presence.stop = lambda: None  # type: ignore[method-assign]
        process.presence._stopped = True
        process.sockets.clear()
        for other in list(self.processes.values()):
            late = TIMEOUT + self.random.uniform(-1, 0.5)
            self.clock.call_later(late, other.lose, process.node)

    def stop(self, process: Process) -> list[UserRoom]:
        """End it in an orderly way. Returns the users who had sockets there."""
        process.ending = True
        users = list(process.sockets)
        for user in users:
            process.go(user)
        self.clock.run(0.1)
        process.presence.stop()
        process.to_group("", [Kind.BYE])
        del self.processes[process.node]
        return users

    def outage(self, seconds: float) -> None:
        """The layer is down; processes are taken for dead, and greet each other afterwards."""
        self.down, self.down_since = True, self.clock.now
        self.clock.run(min(seconds, TIMEOUT - 0.5))
        if seconds > TIMEOUT:
            for process in self.processes.values():
                for node in list(process.peers):
                    self.clock.call_later(self.random.uniform(0, 1), process.lose, node)
            self.clock.run(seconds - TIMEOUT + 0.5)
        self.down = False
        waiting, self._waiting = self._waiting, []
        for sender, receiver, operation in waiting:
            self.send(sender, receiver, operation)
        for process in self.processes.values():
            self.clock.call_later(self.random.uniform(0.1, 1.2), self._greet, process)

    def _greet(self, process: Process) -> None:
        if process.node in self.processes:
            process.to_group("", [Kind.HELLO, process.node, False])

    def present(self) -> set[UserRoom]:
        return {user for process in self.processes.values() for user in process.sockets}

    def check(self) -> None:
        """Each user was said to be online and offline in turn, and is what was said last."""
        present = self.present()
        for user, said in self.announced.items():
            states = [online for _, online, _ in said]
            assert states == [n % 2 == 0 for n in range(len(states))], (user, said)
            assert states[-1] == (user in present), (user, said)
        assert {user for user in present if not self.announced[user]} == set()


def user(number: int) -> UserRoom:
    return UserRoom("auth.user", str(number))


def said(site: Site, who: UserRoom) -> list[bool]:
    return [online for _, online, _ in site.announced[who]]


@pytest.fixture
def site() -> Site:
    site = Site()
    for _ in range(3):
        site.start()
    site.clock.run(10)
    return site


def test_first_socket_and_last(site: Site) -> None:
    first, second, _ = site.processes.values()
    first.come(user(1))
    site.clock.run(1)
    second.come(user(1))
    first.come(user(1))
    site.clock.run(1)
    first.go(user(1))
    first.go(user(1))
    site.clock.run(20)
    assert said(site, user(1)) == [True]
    gone = site.clock.now
    second.go(user(1))
    site.clock.run(GRACE - 0.3)
    assert said(site, user(1)) == [True]
    site.clock.run(1)
    assert said(site, user(1)) == [True, False]
    assert GRACE <= site.announced[user(1)][-1][0] - gone < GRACE + 0.5


def test_who_comes_back_in_time_was_never_away(site: Site) -> None:
    first, second, _ = site.processes.values()
    first.come(user(1))
    site.clock.run(1)
    for _ in range(5):
        first.go(user(1))
        site.clock.run(GRACE - 0.5)
        second.come(user(1))
        site.clock.run(1)
        first, second = second, first
    site.clock.run(20)
    assert said(site, user(1)) == [True]


def test_users_are_spread_over_the_processes(site: Site) -> None:
    first, *_ = site.processes.values()
    for number in range(300):
        first.come(user(number))
    site.clock.run(1)
    by_node: defaultdict[str, int] = defaultdict(int)
    for ((_, online, node),) in site.announced.values():
        assert online
        by_node[node] += 1
    assert len(by_node) == 3
    assert min(by_node.values()) > 60


def test_a_killed_process(site: Site) -> None:
    first, second, _ = site.processes.values()
    for number in range(100):
        list(site.processes.values())[number % 3].come(user(number))
    for number in range(0, 100, 6):
        second.come(user(number))
    site.clock.run(1)
    killed = site.clock.now
    site.kill(first)
    site.clock.run(TIMEOUT + GRACE + SLACK)
    site.check()
    lost = [number for number in range(0, 100, 3) if number % 6]
    for number in range(100):
        assert said(site, user(number)) == ([True, False] if number in lost else [True])
    times = [site.announced[user(number)][-1][0] - killed for number in lost]
    assert max(times) < TIMEOUT + GRACE + 1


def test_a_rolling_restart(site: Site) -> None:
    for number in range(100):
        list(site.processes.values())[number % 3].come(user(number))
    site.clock.run(2)
    for old in list(site.processes.values()):
        users = site.stop(old)
        site.clock.run(0.5)
        others = list(site.processes.values())
        for one in users:
            site.random.choice(others).come(one)
        site.clock.run(1.5)
        site.start()
        site.clock.run(3)
    site.clock.run(20)
    assert all(said(site, user(number)) == [True] for number in range(100))


def test_the_layer_is_down_for_a_while(site: Site) -> None:
    """Nothing is announced meanwhile, and afterwards what has become of it."""
    first, second, *_ = site.processes.values()
    for number in range(30):
        list(site.processes.values())[number % 3].come(user(number))
    site.clock.run(1)
    site.down, site.down_since = True, site.clock.now
    site.clock.run(1)
    first.go(user(0))
    second.come(user(99))
    site.outage(20)
    assert said(site, user(0)) == [True]
    assert said(site, user(99)) == []
    site.clock.run(TIMEOUT + GRACE + SLACK)
    site.check()
    assert said(site, user(0)) == [True, False]
    assert all(said(site, user(number)) == [True] for number in range(1, 30))


def test_a_process_that_was_stopped_waits_for_the_others(site: Site) -> None:
    """The others took it for dead, and have announced what it would announce now."""
    first, second, third = site.processes.values()
    for number in range(60):
        (second if number % 2 else third).come(user(number))
    site.clock.run(1)
    # It hears nothing while it sleeps, and everything when it wakes.
    heard: list[tuple[str, list[Any]]] = []
    awake, act = first.receive, first.presence._tick
    first.receive = lambda *message: heard.append(message)  # type: ignore[method-assign]
    assert first.presence._timer is not None
    first.presence._timer.cancel()
    for number in range(60):
        (second if number % 2 else third).go(user(number))
    for other in (second, third):
        site.clock.call_later(TIMEOUT, other.lose, first.node)
    site.clock.run(TIMEOUT + GRACE + 1)
    act()
    first.receive = awake  # type: ignore[method-assign]
    for message in heard:
        first.receive(*message)
    for other in (second, third):
        other.hear_hello(first.node, wanted=False)
    site.clock.run(20)
    assert all(said(site, user(number)) == [True, False] for number in range(60))


@pytest.mark.parametrize("seed", range(25))
def test_anything_at_any_time(seed: int) -> None:
    """Users come and go while processes start, end, are killed and are cut off."""
    site = Site(seed)
    chance = site.random
    for _ in range(3):
        site.start()
    site.clock.run(0.2)
    users = [user(number) for number in range(40)]
    for _ in range(400):
        processes = list(site.processes.values())
        process = chance.choice(processes)
        what = chance.random()
        if what < 0.5:
            process.come(chance.choice(users))
        elif what < 0.9 and process.sockets:
            process.go(chance.choice(process.sockets))
        elif what < 0.92 and len(processes) < 6:
            site.start()
        elif what < 0.94 and len(processes) > 2:
            site.kill(process)
        elif what < 0.96 and len(processes) > 2:
            for one in site.stop(process):
                if chance.random() < 0.7:
                    chance.choice(list(site.processes.values())).come(one)
        elif what < 0.97:
            site.outage(chance.choice([0.5, 3, 8]))
        site.clock.run(chance.choice([0, 0.01, 0.1, 1, 6]))
    site.clock.run(2 * TIMEOUT + GRACE + SLACK + YOUTH + TIMEOUT)
    site.check()


# The table alone


def test_users_are_forgotten_when_they_are_gone_for_long() -> None:
    table = PresenceTable("me", GRACE, TIMEOUT)
    table.add_owner("me")
    table.change("me", user(1), True, 0)
    assert [one.online for one in table.announce(0, DAY)] == [True]
    table.change("me", user(1), False, 10)
    assert table.announce(10 + GRACE - 0.1, DAY) == []
    assert [one.online for one in table.announce(10 + GRACE, DAY)] == [False]
    assert len(table) == 1
    table.announce(100, DAY)
    assert len(table) == 0


def test_whoever_missed_an_announcement_is_told_again() -> None:
    table = PresenceTable("me", GRACE, TIMEOUT)
    table.add_owner("me")
    table.change("me", user(1), True, 0)
    (announced,) = table.announce(0, DAY)
    assert table.tell("other", [Fact(user(1), 0, HELD)], 1) == [announced]
    assert table.tell("other", [Fact(user(1), announced.version, HELD)], 1) == []


def test_the_owner_is_reminded() -> None:
    """Where it does not know a user that it should have announced."""
    table = PresenceTable("me", GRACE, TIMEOUT)
    table.add_owner("other")
    number = 1
    table.change("me", user(number), True, 0)
    wanted = {"other": [Fact(user(number), 0, HELD)]}
    for now, reminder in ((0, {}), (0.5, {}), (1, wanted), (1.5, {}), (2, wanted)):
        assert table.announce(now, DAY) == []
        assert table.remind(now) == reminder
    table.hear(user(number), 1, 3)
    assert table.announce(4, DAY) == []
    assert table.remind(4) == {}
