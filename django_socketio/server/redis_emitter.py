"""Takes what ``@socket.io/redis-emitter``, and its kin in other languages, publish on Redis.

Every server process hears it, as every Node server does, and carries it out for its own sockets
alone; so nothing comes twice. docs/emitter.md says whom this trusts.
"""

from __future__ import annotations

import asyncio
from typing import Any

from channels.layers import channel_layers
from django.utils.module_loading import import_string

from ..addressing.rooms import check_room
from ..exceptions import SocketIOError
from ..logs import safe
from ..packets import PacketError
from ..runtime.turns import MESSAGE, TURN
from ..stats import counters
from .emitter_messages import Broadcast, ServerEvent, read
from .hub import Hub

# Seconds between tries while Redis is down: the first pause, doubled up to the longest one.
FIRST_DELAY, LONGEST_DELAY = 0.1, 5.0
# Seconds without a message after which the connection is tried.
SILENCE = 15.0
# What a pattern of Redis does not take as it is.
_SPECIAL = str.maketrans({char: f"\\{char}" for char in "*?[]\\"})


class RedisEmitter:
    """Listens on each Redis server of ``redis_emitter``, as long as the hub's loop runs."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        wanted = hub.settings.redis_emitter
        options: dict[str, Any] = wanted if isinstance(wanted, dict) else {}
        self._key: str = options.get("KEY", "socket.io")
        self._urls = [options["URL"]] if "URL" in options else self._hosts_of_the_layer()
        self._weight = 0
        self._tasks: list[asyncio.Task[None]] = []

    def _hosts_of_the_layer(self) -> list[Any]:
        config = channel_layers.configs[self._hub.settings.channel_layer].get("CONFIG", {})
        return list(config.get("hosts", ())) or [("localhost", 6379)]

    def start(self) -> None:
        """Begin to listen."""
        hosts = import_string("channels_redis.utils.decode_hosts")(self._urls)
        self._tasks = [self._hub.runtime.spawn(self._listen(host)) for host in hosts]

    async def stop(self) -> None:
        """Listen no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _listen(self, host: dict[str, Any]) -> None:
        """Listen on one server; begin anew whenever the connection breaks."""
        redis = import_string("redis.asyncio.Redis")
        create_pool = import_string("channels_redis.utils.create_pool")
        delay, up = FIRST_DELAY, True
        while True:
            client = redis(connection_pool=create_pool({"health_check_interval": SILENCE, **host}))
            pubsub = client.pubsub(ignore_subscribe_messages=True)
            try:
                key = self._key.translate(_SPECIAL)
                await pubsub.psubscribe(f"{key}#/*", f"{key}-request#/*")
                if not up:
                    self._hub.runtime.log.warning("the Redis server of emitters is up again")
                delay, up = FIRST_DELAY, True
                while True:
                    message = await pubsub.get_message(timeout=SILENCE)
                    if message is not None:
                        await self._take(message)
            except Exception as error:
                up = False
                counters.layer.add("emitter failed")
                self._hub.runtime.log.error(
                    "the Redis server of emitters is down: %s: %s", type(error).__name__, error
                )
            finally:
                await _close(pubsub, client)
            await asyncio.sleep(delay)
            delay = min(2 * delay, LONGEST_DELAY)

    async def _take(self, message: dict[str, Any]) -> None:
        """Carry out one message. What has another form is counted and logged."""
        data = message["data"]
        self._weight += MESSAGE + len(data)
        if self._weight > TURN:
            self._weight = 0
            await asyncio.sleep(0)
        try:
            channel = message["channel"].decode("utf-8", "surrogatepass")
            self._carry_out(channel, data)
        except (PacketError, SocketIOError, ValueError, TypeError, AttributeError) as error:
            counters.layer.add("emitter malformed")
            self._hub.runtime.log.warning("a message of an emitter is malformed: %s", safe(error))
        except Exception as error:
            counters.layer.add("emitter malformed")
            self._hub.runtime.log.failure(error, "a message of an emitter failed")

    def _carry_out(self, channel: str, data: bytes) -> None:
        hub = self._hub
        settings, members = hub.settings, hub.members
        if len(data) > settings.max_layer_buffer_size:
            raise ValueError("too large")
        wanted = read(self._key, channel, data, settings.codec, settings.limits)
        if wanted is None:
            return
        if isinstance(wanted, ServerEvent):
            hub.runtime.spawn(members.server_event(*wanted))
        elif isinstance(wanted, Broadcast):
            target, event, args, delivery = wanted
            packet = settings.encoder.event(target.namespace, event, args)
            members.deliver(target, packet, delivery)
        else:
            longest = settings.max_room_name_length
            rooms = [check_room(room, longest) for room in wanted.rooms]
            members.act(wanted.target, wanted.action, rooms)
        counters.layer.add("emitter received")


async def _close(pubsub: Any, client: Any) -> None:
    """Close a connection, whatever has become of it."""
    for one in (pubsub, client):
        try:
            # redis-py has renamed it.
            await getattr(one, "aclose", one.close)()
        except Exception:  # noqa: S112 - it is broken already
            continue
