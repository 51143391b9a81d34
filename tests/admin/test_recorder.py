"""What the processes write about themselves."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils.timezone import now

from django_socketio.models import ServerProcess, TrafficSample
from django_socketio.stats.minutes import current_minute
from django_socketio.stats.reports import count_all
from django_socketio.stats.rows import save
from django_socketio.stats.shapes import StoredCounters
from tests.harness.postgres import Postgres
from tests.harness.servers import Server, copy_database, migrate
from tests.harness.waiting import until
from tests.harness.wire import open_peer

SAMPLE = {
    "minute": 1,
    **dict.fromkeys(
        (
            *("sockets", "sessions", "connects", "events_in", "events_out", "packets_in"),
            *("packets_out", "bytes_in", "bytes_out", "errors", "lost"),
        ),
        3,
    ),
    "lag": 0.1,
}


class _Idle:
    """As much of a hub as the counters need."""

    clients: dict[str, Any] = {}  # noqa: RUF012


def write(node: str = "node1", counted: Any = None, **options: Any) -> str:
    idle: Any = _Idle()
    full: StoredCounters = {**count_all(idle), "layer_up": None, **(counted or {})}
    wanted = {"interval": 10, "sample": None, "ended": False, "retention": None, **options}
    return save(node, full, **wanted)


@pytest.mark.django_db
def test_a_process_has_one_row(django_assert_num_queries: Any) -> None:
    write()
    with django_assert_num_queries(1):
        write()
    # Once a minute; the four others begin and end the transactions around the two.
    with django_assert_num_queries(6):
        write(sample=SAMPLE)
    process = ServerProcess.objects.get()
    assert process.is_running
    assert process.counters["sockets"]["total"] >= 0
    assert TrafficSample.objects.get().events_in == 3
    write(ended=True)
    process.refresh_from_db()
    assert not process.is_running
    assert not process.is_stale


@pytest.mark.django_db
def test_runserver_ends_the_process_that_it_replaces(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    for node, pid in (("before", gone.pid), ("beside", os.getppid()), ("here", os.getpid())):
        write(node)
        ServerProcess.objects.filter(node=node).update(pid=pid)
    write("elsewhere")
    ServerProcess.objects.filter(node="elsewhere").update(pid=gone.pid, host="another")

    def ended() -> set[str]:
        return set(ServerProcess.objects.exclude(ended=None).values_list("node", flat=True))

    monkeypatch.delenv("RUN_MAIN", raising=False)
    write("here", retention=(60, 60))
    assert not ended()
    monkeypatch.setenv("RUN_MAIN", "true")
    write("here", retention=(60, 60))
    assert ended() == {"before"}


@pytest.mark.django_db
def test_the_command_shows_the_living_first() -> None:
    for node in ("stale", "lives"):
        write(node)
    long_ago = now() - timedelta(days=1)
    ServerProcess.objects.filter(node="stale").update(last_seen=long_ago, started=long_ago)
    out = StringIO()
    call_command("socketio_stats", stdout=out)
    assert out.getvalue().index("(lives) running") < out.getvalue().index("(stale) stale")


@pytest.mark.django_db
def test_old_rows_are_cleared_away() -> None:
    write("old")
    ServerProcess.objects.update(last_seen=now() - timedelta(days=2))
    write(sample={**SAMPLE, "minute": current_minute() - 100})
    write(sample={**SAMPLE, "minute": current_minute() - 10})
    write(retention=(50 * 60, 86400))
    assert [process.node for process in ServerProcess.objects.all()] == ["node1"]
    assert TrafficSample.objects.get().minute >= current_minute() - 11


@pytest.mark.django_db
def test_a_silent_process_is_stale() -> None:
    write()
    ServerProcess.objects.update(last_seen=now() - timedelta(seconds=60))
    assert ServerProcess.objects.get().is_stale


# What a database does not take: PostgreSQL no NUL, and no half of a surrogate pair.
ODD = "/room-\0\ud800é"
SHOWN = "/room-\\x00\\ud800\\xe9"


@pytest.mark.django_db
def test_names_that_no_database_takes_are_escaped() -> None:
    """Clients name dynamic namespaces; reasons may hold what they have sent."""
    sockets = {"now": {ODD: 1, "/é": 2}, "peak": {}, "total": 3, "highest": 3, "opened": 3}
    handlers = [{"consumer": "C", "namespaces": [ODD], "event": ODD}]
    assert write(counted={"connects": {ODD: 7}, "sockets": sockets, "handlers": handlers}) == ""
    stored = ServerProcess.objects.get().counters
    assert stored["connects"] == {SHOWN: 7}
    assert stored["sockets"] == {**sockets, "now": {SHOWN: 1, "/é": 2}}
    assert stored["handlers"] == [{"consumer": "C", "namespaces": [SHOWN], "event": SHOWN}]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("bad", [object(), {1: 2}.keys()], ids=["object", "keys"])
def test_counters_that_cannot_be_stored_hide_no_process(bad: Any) -> None:
    assert "TypeError" in write(counted={"connects": {"/": bad}})
    row = ServerProcess.objects.get()
    assert row.is_running
    assert row.counters == {}
    assert row.as_report()["counters"]["sockets"]["total"] == 0
    assert "TypeError" in write(counted={"connects": {"/": bad}}, sample=SAMPLE)
    assert TrafficSample.objects.count() == 1
    assert write() == ""
    assert ServerProcess.objects.get().counters["sockets"]["total"] >= 0


@pytest.mark.django_db
def test_the_command() -> None:
    write()
    write("node2")
    ServerProcess.objects.filter(node="node2").update(last_seen=now() - timedelta(seconds=60))
    out = StringIO()
    call_command("socketio_stats", stdout=out)
    assert "(node1) running" in out.getvalue()
    assert "(node2) stale" in out.getvalue()
    out = StringIO()
    call_command("socketio_stats", "--json", stdout=out)
    found = json.loads(out.getvalue())
    assert {row["node"]: row["stale"] for row in found["processes"]} == {
        "node1": False,
        "node2": True,
    }
    assert "sockets" in found["total"]


@pytest.mark.django_db
@pytest.mark.urls("tests.admin.urls")
def test_prometheus() -> None:
    write()
    ServerProcess.objects.update(
        counters={
            **ServerProcess.objects.get().counters,
            "sockets": {"now": {"/chat": 7}},
            "handlers": [
                {"consumer": "C", "event": "e", "total": 1.5, "buckets": [1, 2, 0, 0, 0, 1]}
            ],
        }
    )
    text = Client().get("/metrics/").content.decode()
    assert 'namespace="/chat"' in text
    assert "} 7.0" in text
    assert re.search(r'socketio_handler_seconds_bucket{.*le="0.01".*} 3.0', text)
    assert 'socketio_handler_seconds_count{consumer="C",event="e"' in text


@pytest.mark.django_db
@pytest.mark.urls("tests.admin.urls")
@pytest.mark.parametrize("counted", [{}, {"sockets": {"total": 7}}])
def test_a_row_of_an_older_version_is_read(counted: Any) -> None:
    write()
    ServerProcess.objects.update(counters=counted)
    out = StringIO()
    call_command("socketio_stats", stdout=out)
    assert f"{counted.get('sockets', {}).get('total', 0)} sockets, lag 0 ms" in out.getvalue()
    assert re.search(r"events +0 in, 0 out", out.getvalue())
    out = StringIO()
    call_command("socketio_stats", "--json", stdout=out)
    (row,) = json.loads(out.getvalue())["processes"]
    assert row["counters"]["traffic"]["events_in"] == 0
    metrics = Client().get("/metrics/").content.decode()
    assert "socketio_upgrades" in metrics
    assert "socketio_volatile_dropped" in metrics


def echo(server: Server, times: int) -> None:
    """A client that connects and talks."""
    with open_peer(server, "/lab") as client:
        for number in range(times):
            client.send(f'42/lab,{number}["echo",1]')
            assert client.next() == f"43/lab,{number}[1]"


@pytest.mark.postgres
def test_a_database_that_goes_away_costs_a_log_line(postgres: Postgres) -> None:
    migrate(postgres.settings)
    server = Server("uvicorn", postgres.settings, socketio={"STATS_INTERVAL": 1})
    try:
        echo(server, 10)

        def events() -> int:
            rows = postgres.query("select counters from django_socketio_serverprocess")
            return int(rows[0][0]["traffic"]["events_in"]) if rows else 0

        until(lambda: events() == 10, "the first events in the database")
        postgres.stop()
        with open_peer(server, "/lab") as client:
            sent = 0

            def told() -> bool:
                nonlocal sent
                client.send(f'42/lab,{sent}["echo",1]')
                assert client.next(1) == f"43/lab,{sent}[1]"
                sent += 1
                return "cannot be written" in server.process.log

            until(told, "the line in the log")
            for _ in range(100):
                told()
            postgres.start()
            until(lambda: events() == 10 + sent, "the events in the database again", 30)
        server.stop()
        assert server.process.log.count("cannot be written") == 1
        assert server.process.log.count("can be written again") == 1
        rows = postgres.query("select ended from django_socketio_serverprocess")
        assert len(rows) == 1
        assert rows[0][0] is not None
        samples = postgres.query("select events_in from django_socketio_trafficsample")
        assert sum(row[0] for row in samples) == 10 + sent
    finally:
        server.process.kill()


def hostile_names(server: Server) -> None:
    """A client enters namespaces with names that no database takes."""
    with open_peer(server, "/named-a") as client:
        for name in ("/named-\0", "/named-b\0c"):
            client.send(f"40{name},")
            assert str(client.next()).startswith(f"40{name},{{")


@pytest.mark.postgres
def test_postgresql_takes_whatever_clients_name(postgres: Postgres) -> None:
    """A NUL used to end the statistics until the process was started again."""
    migrate(postgres.settings)
    server = Server("uvicorn", postgres.settings, socketio={"STATS_INTERVAL": 1})
    try:
        hostile_names(server)
        echo(server, 10)

        def stored() -> Any:
            rows = postgres.query("select counters from django_socketio_serverprocess")
            found = rows[0][0] if rows else {}
            return found if found.get("traffic", {}).get("events_in") == 10 else None

        connects = until(stored, "the row in the database")["connects"]
        assert connects["/named-\\x00"] == connects["/named-b\\x00c"] == 1
        server.stop()
        assert "cannot be written" not in server.process.log
    finally:
        server.process.kill()


@pytest.mark.parametrize("name", ["daphne", "uvicorn"])
def test_sqlite(name: str, database_template: Path) -> None:
    import sqlite3

    database = copy_database(database_template, f"recorder-{name}")
    server = Server(name, database, socketio={"STATS_INTERVAL": 1})
    try:
        hostile_names(server)
        echo(server, 10)

        def rows() -> list[Any]:
            with sqlite3.connect(database, timeout=20) as connection:
                query = "select counters from django_socketio_serverprocess"
                found = [json.loads(row[0]) for row in connection.execute(query)]
            connection.close()
            return [row for row in found if row["traffic"]["events_in"] == 10]

        assert len(until(rows, "the row in the database")) == 1
        server.stop()
        assert "cannot be written" not in server.process.log
    finally:
        server.process.kill()
