"""Several server processes that share a channel layer, behind a proxy that is not sticky."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from tests.harness.brokers import Broker
from tests.harness.layers import OTHER_LAYERS
from tests.harness.processes import Process
from tests.harness.redis import Redis
from tests.harness.servers import Server, migrate
from tests.harness.waiting import until

LAYERS = ("pubsub", "core")

# What the system checks advise: by default a channel of the core layer holds 100 messages.
LAYER_CONFIGS: dict[str, dict[str, Any]] = {"core": {"capacity": 10_000}}


class Cluster:
    """Workers, what carries their messages, and the proxy: `url` is its address, with `port`."""

    def __init__(
        self,
        database: Path,
        layer: str = "pubsub",
        workers: int = 3,
        server: str = "uvicorn",
        socketio: dict[str, Any] | None = None,
        layer_config: dict[str, Any] | None = None,
    ) -> None:
        self.layer = layer
        other = OTHER_LAYERS.get(layer)
        self.broker: Broker = other.start() if other else Redis()
        self.workers: list[Server] = []
        self.proxy: Process | None = None
        options: dict[str, Any]
        try:
            if other:
                config = {**other.config(self.broker), **(layer_config or {})}
                options = {"layer": other.backend, "layer_config": config}
            else:
                options = {"redis": self.redis.url, "layer": layer, "layer_config": layer_config}
                if layer_config is None:
                    options["layer_config"] = LAYER_CONFIGS.get(layer)
            if layer == "postgres":
                migrate(database, "channels_postgres", "--database=channels_postgres", **options)
            for _ in range(workers):
                self.workers.append(Server(server, database, socketio=socketio, **options))
            self.proxy, self.port = start_proxy(self.workers)
            self.wait_until_met()
        except BaseException:
            self.kill()
            raise

    def wait_until_met(self, number: int | None = None) -> None:
        """Wait until so many workers (all of them) know each other."""
        wanted = (len(self.workers) if number is None else number) - 1

        def met() -> bool:
            running = [worker for worker in self.workers if worker.process.running]
            # Each is asked, whatever the others say: daphne joins them with its first request.
            known = [len(worker.counts()["peers"]) for worker in running]
            return all(number == wanted for number in known)

        until(met, "the workers to know each other")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def redis(self) -> Redis:
        assert isinstance(self.broker, Redis)
        return self.broker

    def stop(self) -> None:
        """End it in an orderly way; AssertionError where a log holds what it must not."""
        try:
            for worker in self.workers:
                worker.stop()
        finally:
            self.kill()

    def kill(self) -> None:
        """End it at once."""
        for worker in self.workers:
            worker.process.kill()
        if self.proxy is not None:
            self.proxy.kill()
        self.broker.close()


def start_proxy(workers: list[Server]) -> tuple[Process, int]:
    """A proxy in front of workers, and its port."""
    ports = [str(worker.port) for worker in workers]
    process = Process([sys.executable, "-m", "tests.harness.proxy", *ports])
    return process, int(process.wait_for_line(r"listening on \S+:(\d+)")[1])
