"""Clients that keep threads busy, or never answer, take none from others (found here)."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from django_socketio import SocketIOConsumer, event
from django_socketio.conf import get_settings
from django_socketio.server.hubs import current_hub
from django_socketio.stats import counters
from tests.harness.waiting import DEADLINE, eventually, soon

from .inprocess import Wire, joined, opened, registered

pytestmark = pytest.mark.usefixtures("worker_threads")

# As many as there are threads for plain handlers.
CROWD = 32


class Gate:
    """Where plain functions wait; those that do are counted."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.waiting = 0
        self._lock = threading.Lock()

    def wait(self) -> None:
        with self._lock:
            self.waiting += 1
        assert self.open.wait(DEADLINE)


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    Plain.gate = gate
    yield gate
    gate.open.set()


class Anybody:
    """A user with every permission."""

    pk = 1
    is_authenticated = True

    def has_perms(self, permissions: Any) -> bool:
        return threading.current_thread() is not threading.main_thread()


class Plain(SocketIOConsumer):
    """What a project might have that knows nothing of async."""

    gate: Gate

    @event(concurrent=True)
    def ask(self) -> Any:
        return self.call("question")

    @event(concurrent=True)
    def hold(self) -> None:
        self.gate.wait()

    @event(concurrent=True)
    def echo(self, *args: Any) -> Any:
        return args


class Members(SocketIOConsumer):
    """Every hook is plain."""

    permission_required = "app.member"
    left = 0

    def authenticate(self, auth: Any) -> Any:
        return Anybody()

    def connect(self, auth: Any) -> None: ...

    def disconnect(self, reason: str) -> None:
        type(self).left += 1


class Slow(Plain):
    """Holds a thread for each namespace."""

    def connect(self, auth: Any) -> None:
        self.gate.wait()


async def may_come_and_go() -> None:
    """A client is authenticated, has permission, is connected and leaves, all in threads."""
    left = Members.left
    wire = await opened()
    await soon(wire.enter("/members"))
    await wire.drop()
    await eventually(lambda: Members.left == left + 1, "disconnect()")


async def served(wire: Wire) -> None:
    """A plain handler of another client runs, and anybody may come and go."""
    await wire.send('421["echo","here"]')
    assert await soon(wire.receive()) == '431["here"]'
    await may_come_and_go()


async def end(wires: list[Wire], gate: Gate) -> None:
    gate.open.set()
    for wire in wires[1:]:
        await wire.drop()
    await wires[0].leave()


async def test_clients_that_never_answer_hold_no_thread(gate: Gate) -> None:
    with registered(Plain), registered(Members, "/members"):
        bystander = await joined()
        crowd = [await joined() for _ in range(CROWD)]
        for wire in crowd:
            await wire.send('42["ask"]')
            assert "question" in await wire.receive()
        await served(bystander)
        await end([bystander, *crowd], gate)


async def test_a_client_holds_a_few_threads_at_most(gate: Gate) -> None:
    share = get_settings().max_threads_per_client
    with registered(Plain), registered(Members, "/members"):
        bystander, hostile = await joined(), await joined()
        await hostile.send(*['42["hold"]'] * 3 * CROWD)
        await eventually(lambda: gate.waiting == share, "the handlers to wait")
        await served(bystander)
        assert gate.waiting == share
        gate.open.set()
        await eventually(lambda: gate.waiting == 3 * CROWD, "all handlers to run")
        await end([bystander, hostile], gate)


async def test_many_namespaces_are_one_client(gate: Gate) -> None:
    share = get_settings().max_threads_per_client
    with registered(Plain), registered(Plain, re.compile("/n[0-9]+")):
        bystander, hostile = await joined(), await opened()
        for number in range(CROWD):
            await hostile.enter(f"/n{number}")
            await hostile.send(f'42/n{number},["hold"]')
        await eventually(lambda: gate.waiting == share, "the handlers to wait")
        await bystander.send('421["echo"]')
        assert await soon(bystander.receive()) == "431[]"
        await end([bystander, hostile], gate)


async def test_busy_handlers_keep_nobody_out(gate: Gate) -> None:
    """All threads for handlers are busy: hooks have their own."""
    with registered(Plain), registered(Members, "/members"):
        crowd = [await joined() for _ in range(CROWD)]
        for wire in crowd:
            await wire.send('42["hold"]')
        await eventually(lambda: gate.waiting == CROWD, "all threads to be busy")
        await may_come_and_go()
        await end(crowd, gate)


async def test_a_client_that_enters_many_namespaces_keeps_nobody_out(gate: Gate) -> None:
    share = get_settings().max_threads_per_client
    with registered(Slow, re.compile("/n[0-9]+")), registered(Members, "/members"):
        hostile = await opened()
        await hostile.send(*(f"40/n{number}," for number in range(100)))
        await eventually(lambda: gate.waiting == share, "connect() to wait")
        await may_come_and_go()
        assert gate.waiting == share
        await end([hostile], gate)


async def test_who_waits_gets_a_turn_before_the_many_jobs_of_another(
    settings: Any, gate: Gate
) -> None:
    settings.SOCKETIO = {"WORKER_THREADS": 1, "MAX_THREADS_PER_CLIENT": 1}
    order: list[str] = []

    class Noting(Plain):
        @event(concurrent=True)
        def note(self, name: str) -> None:
            order.append(name)

    with registered(Noting):
        first, second = await joined(), await joined()
        await first.send('42["hold"]', *['42["note","first"]'] * 20)
        await eventually(lambda: gate.waiting == 1, "the thread to be busy")
        await second.send(*['42["note","second"]'] * 2)
        tasks_of = current_hub().runtime.tasks_of
        await eventually(lambda: len(tasks_of(second.client)) == 2, "the events to come")
        await asyncio.sleep(0)  # they have asked for a thread
        gate.open.set()
        await eventually(lambda: len(order) == 22, "all handlers to run")
        assert order[:4].count("second") == 2
        await end([first, second], gate)


async def test_the_threads_that_wait_are_bounded(
    settings: Any, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    """Who has waited longest gives up; whoever answers at once is served."""
    settings.SOCKETIO = {"WORKER_THREADS": 3, "MAX_WAITING_THREADS": 5}
    refused = counters.limits["too many threads wait for answers"]
    before = threading.active_count()
    with registered(Plain):
        crowd = [await joined() for _ in range(CROWD)]
        for wire in crowd:
            await wire.send('42["ask"]')
            assert "question" in await wire.receive()
        bystander = await joined()
        await bystander.send('421["ask"]')
        packet = await bystander.receive()
        await bystander.send(f'43{packet[2:].partition("[")[0]}["answer"]')
        assert await soon(bystander.receive()) == '431["answer"]'
        await eventually(
            lambda: counters.limits["too many threads wait for answers"] >= refused + CROWD + 1 - 5,
            "the oldest to give up",
        )
        # And those of the hooks, and asgiref's own.
        assert threading.active_count() <= before + 3 + 5 + 3
        assert [wire.client.pending_acks for wire in crowd].count(1) <= 5
        lines = [record for record in caplog.records if "threads wait" in record.getMessage()]
        assert len(lines) == 1
        await end([bystander, *crowd], gate)
