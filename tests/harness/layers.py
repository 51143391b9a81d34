"""Channel layers beside channels_redis's: their classes, their servers, how a project sets them."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, NamedTuple

import pytest

from tests.harness.brokers import Broker, Nats, Rabbit, find_nats, find_rabbit
from tests.harness.postgres import Postgres, find_postgres
from tests.harness.programs import find_redis
from tests.harness.redis import Redis


class Layer(NamedTuple):
    """``config`` makes CONFIG from the running server that ``start`` has started."""

    backend: str
    start: Callable[[], Broker]
    config: Callable[[Any], dict[str, Any]]
    program: Callable[[], object]
    mark: str

    def why_not(self) -> str | None:
        """Why it cannot run here, None if it can."""
        package = self.backend.split(".")[0]
        if find_spec(package) is None:
            return f"{package} is not installed"
        return None if self.program() else f"no server program for {package}"


# `make test-all` runs those with the mark "matrix"; those with the mark "layers" run by hand.
OTHER_LAYERS = {
    "valkey": Layer(
        "channels_valkey.pubsub.ValkeyPubSubChannelLayer",
        Redis,  # its protocol is the same
        lambda redis: {"hosts": [redis.url]},
        find_redis,
        "matrix",
    ),
    "postgres": Layer(
        "channels_postgres.core.PostgresChannelLayer",
        Postgres,
        lambda postgres: {**postgres.settings, "PASSWORD": "", "TIME_ZONE": None},
        find_postgres,
        "matrix",
    ),
    "nats": Layer(
        "channels_nats.NatsChannelLayer",
        Nats,
        lambda nats: {"servers": f"nats://127.0.0.1:{nats.port}", "capacity": 10_000},
        find_nats,
        "layers",
    ),
    "rabbitmq": Layer(
        "channels_rabbitmq.core.RabbitmqChannelLayer",
        Rabbit,
        lambda rabbit: {
            "host": f"amqp://guest:guest@127.0.0.1:{rabbit.port}/",
            "local_capacity": 10_000,
            "remote_capacity": 10_000,
        },
        find_rabbit,
        "layers",
    ),
}


def other_layers() -> list[Any]:
    """Their names, as parameters of a fixture."""
    return [
        pytest.param(name, marks=(getattr(pytest.mark, layer.mark), skip(layer.why_not())))
        for name, layer in OTHER_LAYERS.items()
    ]


def skip(reason: str | None) -> pytest.MarkDecorator:
    return pytest.mark.skipif(reason is not None, reason=reason or "")
