"""The database goes away under load and comes back: sockets notice nothing."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.faults.conftest import MakeCrowd
from tests.faults.crowd import nodes
from tests.harness.postgres import Postgres
from tests.harness.servers import Server, copy_database, migrate
from tests.harness.waiting import until
from tests.harness.wire import ask

pytestmark = [pytest.mark.node, pytest.mark.serial]

CLIENTS = 200
# How much later than before an answer may come while the database is away, in seconds; beside what
# a busy machine adds, which clients of a server with another database show.
LATER = 0.5
OTHER_CLIENTS = 20
# Seconds, most of them for the last write.
ENDS_WITHIN = 6.0
# What the log says once for each time.
DOWN, UP = "the statistics cannot be written", "the statistics can be written again"


@contextmanager
def locked(path: Path) -> Iterator[None]:
    connection = sqlite3.connect(path, isolation_level=None, timeout=20)
    connection.execute("begin exclusive")
    try:
        yield
    finally:
        connection.execute("rollback")
        connection.close()


@contextmanager
def moved(path: Path) -> Iterator[None]:
    elsewhere = path.rename(path.with_suffix(".elsewhere"))
    try:
        yield
    finally:
        elsewhere.replace(path)


@contextmanager
def stopped(postgres: Postgres) -> Iterator[None]:
    postgres.stop()
    yield
    postgres.start()


@contextmanager
def frozen(postgres: Postgres) -> Iterator[None]:
    """It takes connections, and does not answer."""
    os.killpg(postgres.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.killpg(postgres.process.pid, signal.SIGCONT)


def lines(server: Server, start: str) -> int:
    """How many lines of the log begin so; daphne has a handler of its own, with the time first."""
    return sum(line.startswith(start) for line in server.process.log.splitlines())


def check(
    server: Server,
    other: Server,
    make_crowd: MakeCrowd,
    away: Callable[[], Any],
    events: Callable[[], int],
) -> None:
    """A crowd asks and is told numbers while the database is away, twice."""
    crowd = make_crowd([server.url], each=CLIENTS, tick=0.1, say=500)
    others = make_crowd([other.url], each=OTHER_CLIENTS, say=500)
    (node,) = nodes([server])

    def slowest() -> tuple[float, float]:
        """Seconds until the slowest answer came while numbers came: here, and on the other."""
        others.report()
        crowd.slowest = others.slowest = 0.0
        crowd.wait_for_more([node])
        others.report()
        return crowd.slowest, others.slowest

    crowd.wait_for_more([node])
    until(lambda: events() > 0, "the first events in the database")
    before, before_elsewhere = slowest()
    for burst in (1, 2):
        with away():
            until(lambda: lines(server, DOWN) == burst, "a line in the log")  # noqa: B023
            during, elsewhere = slowest()
        assert during - before < LATER + max(elsewhere - before_elsewhere, 0)
        until(lambda: lines(server, UP) == burst, "the next line in the log")  # noqa: B023
    after, elsewhere = slowest()
    assert after - before < LATER + max(elsewhere - before_elsewhere, 0)
    members = crowd.stop()
    assert [member for member in members if member.losses or member.errors] == []
    assert sum(member.missed(node) for member in members) == 0
    assert all(member.in_order for member in members)
    said = sum(member.said for member in members)
    until(lambda: events() == said + 1, "all events in the database")
    server.stop()
    assert lines(server, DOWN) == lines(server, UP) == 2, server.process.log
    assert "Traceback" not in server.process.log, server.process.log


@pytest.fixture
def other(database_template: Path, tmp_path: Path) -> Iterator[Server]:
    """A server whose database stays."""
    server = Server("uvicorn", copy_database(database_template, f"{tmp_path.name}-other"))
    yield server
    server.stop()


@pytest.mark.parametrize(
    ("name", "away"),
    [pytest.param("daphne", locked, marks=pytest.mark.matrix), ("uvicorn", moved)],
)
def test_sqlite(
    name: str,
    away: Callable[[Path], Any],
    database_template: Path,
    tmp_path: Path,
    other: Server,
    make_crowd: MakeCrowd,
) -> None:
    path = copy_database(database_template, tmp_path.name)
    database = {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path),
        "OPTIONS": {"timeout": 1},
    }
    server = Server(name, database, socketio={"STATS_INTERVAL": 1})

    def events() -> int:
        connection = sqlite3.connect(path, timeout=20)
        try:
            query = "select counters from django_socketio_serverprocess"
            rows = list(connection.execute(query))
        finally:
            connection.close()
        return sum(json.loads(row[0])["traffic"]["events_in"] for row in rows)

    try:
        check(server, other, make_crowd, lambda: away(path), events)
    finally:
        server.process.kill()


@pytest.mark.postgres
@pytest.mark.matrix  # half a minute; SQLite's is beside it
@pytest.mark.parametrize("away", [stopped, frozen])
def test_postgresql(
    away: Callable[[Postgres], Any], postgres: Postgres, other: Server, make_crowd: MakeCrowd
) -> None:
    migrate(postgres.settings)
    server = Server("uvicorn", postgres.settings, socketio={"STATS_INTERVAL": 1})

    def events() -> int:
        rows = postgres.query("select counters from django_socketio_serverprocess")
        return sum(row[0]["traffic"]["events_in"] for row in rows)

    try:
        check(server, other, make_crowd, lambda: away(postgres), events)
    finally:
        server.process.kill()


@pytest.mark.postgres
@pytest.mark.matrix  # ten seconds, of waiting
@pytest.mark.parametrize("name", ["daphne", "uvicorn"])
def test_a_process_ends_without_its_database(
    name: str, postgres: Postgres, make_crowd: MakeCrowd
) -> None:
    migrate(postgres.settings)
    server = Server(name, postgres.settings, socketio={"STATS_INTERVAL": 1})
    try:
        make_crowd([server.url], each=5)
        with frozen(postgres):
            until(lambda: lines(server, DOWN), "a line in the log")
            began = time.monotonic()
            server.stop()
        assert time.monotonic() - began < ENDS_WITHIN
    finally:
        server.process.kill()


@pytest.mark.postgres
@pytest.mark.parametrize("name", ["daphne", "uvicorn"])
def test_handshakes_without_a_database(name: str, postgres: Postgres) -> None:
    """Who has a session is told to come again, in a way that a page may read."""
    migrate(postgres.settings)
    server = Server(name, postgres.settings, socketio={"STATS_INTERVAL": 0})
    try:
        headers = {"Cookie": server.log_in("ada"), "Origin": server.url}
        assert ask(server, headers=headers).status == 200
        with stopped(postgres):
            for _ in range(20):
                answer = ask(server, headers=headers)
                assert (answer.status, answer.body) == (503, b"")
                assert answer.headers["Access-Control-Allow-Origin"] == server.url
        assert ask(server, headers=headers).status == 200
        server.stop()
        assert "Traceback" not in server.process.log, server.process.log
        assert lines(server, "the middleware failed") == 1, server.process.log
    finally:
        server.process.kill()
