"""What every test may use: the servers, the Node clients, Redis. And no test is skipped unseen."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from _pytest.terminal import TerminalReporter

from tests import matrix
from tests.harness import node, programs
from tests.harness.cluster import LAYERS, Cluster
from tests.harness.postgres import Postgres, find_postgres
from tests.harness.redis import Redis
from tests.harness.servers import SERVERS, Server, Servers, copy_database, make_database

FORBID_SKIPS = os.environ.get("FORBID_SKIPS", "") not in ("", "0")


@pytest.hookimpl(tryfirst=True)  # before pytest looks at the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    matrix.mark(items)
    needs = {
        "node": node.why_not(),
        "browser": None if programs.find_chromium() else "no Chromium (set CHROMIUM to its path)",
        "postgres": None if find_postgres() else "no PostgreSQL server program",
        "redis": None if programs.find_redis() else "no Redis server program",
    }
    for item in items:
        for marker, reason in needs.items():
            if reason and item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=reason))


def _skipped(config: pytest.Config) -> list[Any]:
    reporter: TerminalReporter | None = config.pluginmanager.get_plugin("terminalreporter")
    return reporter.stats.get("skipped", []) if reporter else []


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """With FORBID_SKIPS=1 a skipped test makes the run fail."""
    on_worker = hasattr(session.config, "workerinput")
    if FORBID_SKIPS and not on_worker and _skipped(session.config) and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: TerminalReporter, config: pytest.Config) -> None:
    if FORBID_SKIPS and (skipped := _skipped(config)):
        terminalreporter.section("skipped, and skips are forbidden", red=True)
        for report in skipped:
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
            terminalreporter.line(f"{report.nodeid}: {reason}")


@pytest.fixture(scope="session")
def database_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_database(tmp_path_factory.mktemp("databases"))


@pytest.fixture(scope="session")
def servers(request: pytest.FixtureRequest) -> Iterator[Servers]:
    """Starts servers; `servers.get` gives one for all tests of a worker that do not harm it."""
    started = Servers(lambda: request.getfixturevalue("database_template"))
    yield started
    started.stop()


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest, servers: Servers) -> Server:
    """The test project on daphne, then on uvicorn."""
    return servers.get(request.param)


MakeServer = Callable[..., Server]


@pytest.fixture(params=SERVERS)
def own_server(request: pytest.FixtureRequest, servers: Servers) -> Iterator[MakeServer]:
    """Makes a server for this test alone, with settings of its own."""
    mine: list[Server] = []

    def make(**options: Any) -> Server:
        mine.append(servers.start(request.param, **options))
        return mine[-1]

    yield make
    for server in mine:
        server.stop()


@pytest.fixture(scope="session")
def _runner() -> Iterator[node.Runner]:
    runner = node.Runner()
    yield runner
    runner.stop()


@pytest.fixture(params=node.CLIENTS, ids="js{}".format)
def client(request: pytest.FixtureRequest) -> str:
    """The major version of the JavaScript client."""
    return str(request.param)


@pytest.fixture(params=node.TRANSPORTS)
def transport(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def node_runner(_runner: node.Runner) -> node.Runner:
    return _runner


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    server = Postgres()
    yield server
    server.close()


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    redis = Redis()
    yield redis.url
    redis.close()


MakeCluster = Callable[..., Cluster]


@pytest.fixture(scope="session")
def _clusters(database_template: Path) -> Iterator[MakeCluster]:
    started: list[Cluster] = []

    def make(**options: Any) -> Cluster:
        database = copy_database(database_template, f"cluster{len(started)}")
        started.append(Cluster(database, **options))
        return started[-1]

    yield make
    for cluster in started:
        cluster.kill()


@pytest.fixture(scope="session")
def shared_cluster(_clusters: MakeCluster) -> Iterator[Callable[[str], Cluster]]:
    """One cluster on each channel layer for all tests of a worker that do not harm it."""
    running: dict[str, Cluster] = {}

    def get(layer: str) -> Cluster:
        if layer not in running:
            running[layer] = _clusters(layer=layer)
        return running[layer]

    yield get
    for cluster in running.values():
        cluster.stop()


@pytest.fixture(params=LAYERS)
def cluster(request: pytest.FixtureRequest, shared_cluster: Callable[[str], Cluster]) -> Cluster:
    """Three uvicorn workers on channels_redis's pub/sub layer, then on its core layer."""
    return shared_cluster(request.param)


@pytest.fixture
def make_cluster(_clusters: MakeCluster) -> Iterator[MakeCluster]:
    """Makes a cluster for this test alone, which may do with it what it wants."""
    mine: list[Cluster] = []

    def make(**options: Any) -> Cluster:
        mine.append(_clusters(**options))
        return mine[-1]

    yield make
    for cluster in mine:
        cluster.kill()


@pytest.fixture(params=LAYERS)
def own_cluster(request: pytest.FixtureRequest, make_cluster: MakeCluster) -> MakeCluster:
    """The same on each channel layer."""
    return functools.partial(make_cluster, layer=request.param)
