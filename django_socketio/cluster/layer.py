"""The channel layer: the only module that knows how to call Channels' layers and how they fail.

A call to a layer that is down is repeated until it works. What the layer refuses for good (a full
channel, a value that it cannot carry) is counted, logged and dropped.
"""

from __future__ import annotations

import asyncio
import math
import sys
from collections.abc import Awaitable, Callable
from enum import Enum, auto
from typing import Any

from channels.exceptions import ChannelFull, MessageTooLarge
from channels.layers import InMemoryChannelLayer, channel_layers
from django.utils.module_loading import import_string

from ..conf import get_settings
from ..logs import Bursts, logger, safe
from ..stats import counters
from . import kinds

# Seconds that the layer may take for one call; after that the call is made again.
CALL_TIMEOUT = 5.0
# Seconds between tries while the layer is down: the first pause, doubled up to the longest one.
FIRST_DELAY, LONGEST_DELAY = 0.05, 1.0


def shared_layer() -> Any:
    """Return the channel layer of the settings, None where it does not reach other processes."""
    alias = get_settings().channel_layer
    layer = channel_layers[alias] if alias in channel_layers.configs else None
    return None if isinstance(layer, InMemoryChannelLayer) else layer


def is_shared() -> bool:
    """Return whether the settings name a layer that reaches other processes, and make none.

    The layer of channels_rabbitmq has to be made on the loop that uses it.
    """
    alias = get_settings().channel_layer
    config = channel_layers.configs.get(alias)
    if config is None:
        return False
    try:
        backend = import_string(config["BACKEND"])
    except (ImportError, KeyError):
        return True  # Channels says what is wrong when it makes the layer
    return not (isinstance(backend, type) and issubclass(backend, InMemoryChannelLayer))


class Outcome(Enum):
    """What has become of a message: the layer has it, will never take it, or every try failed."""

    TAKEN = auto()
    REFUSED = auto()
    FAILED = auto()


class Layer:
    """A Channels layer, called with time limits and retries. ``up`` says whether it works.

    ``joins_at_once`` and ``joins_in_order`` say what :mod:`.kinds` knows of its groups.
    """

    def __init__(self, backend: Any) -> None:
        self.up = True
        self.joins_at_once = kinds.joins_at_once(backend)
        self.joins_in_order = kinds.joins_in_order(backend)
        self.closed = False
        self._backend = backend
        self._call = _protected if kinds.must_finish(backend) else _within
        self._listener: asyncio.Task[None] | None = None
        self._bursts = Bursts()

    def close(self) -> None:
        """Repeat no call that fails from now on."""
        self.closed = True
        if self._listener is not None:
            self._listener.cancel()

    async def new_channel(self) -> str:
        """Make a channel for this process and return its name."""
        delay = FIRST_DELAY
        while True:
            try:
                channel: str = await self._backend.new_channel()
            except Exception as error:
                delay = await self._pause(error, delay)
            else:
                return channel

    async def receive(self, channel: str) -> Any:
        """Wait for the next message of a channel and return it."""
        delay = FIRST_DELAY
        while True:
            try:
                message = await self._backend.receive(channel)
            except Exception as error:
                if _is_timeout(error):
                    # Nothing has come, and the library would not wait longer. A layer that is down
                    # shows in what is sent, heartbeats at least.
                    delay = FIRST_DELAY
                    await self._sleep(delay)
                else:
                    delay = await self._pause(error, delay)
            else:
                self._worked()
                return message

    def listen_again(self) -> None:
        """Have the layer listen, if it has stopped to: its groups or its connection are gone."""
        if listening := kinds.listen_again(self._backend):
            self._listener = asyncio.get_running_loop().create_task(listening)

    def send(
        self, channel: str, message: dict[str, Any], tries: float = math.inf
    ) -> Awaitable[Outcome]:
        """Send a message to one channel, with so many tries."""
        return self._persist(self._backend.send, channel, message, tries)

    def group_send(
        self, group: str, message: dict[str, Any], tries: float = math.inf
    ) -> Awaitable[Outcome]:
        """Send a message to a group's channels, with so many tries."""
        return self._persist(self._backend.group_send, group, message, tries)

    def group_add(self, group: str, channel: str) -> Awaitable[Outcome]:
        """Put a channel into a group."""
        return self._persist(self._backend.group_add, group, channel)

    def group_discard(self, group: str, channel: str) -> Awaitable[Outcome]:
        """Take a channel out of a group."""
        return self._persist(self._backend.group_discard, group, channel)

    async def _persist(
        self, call: Callable[..., Awaitable[Any]], to: str, what: Any, tries: float = math.inf
    ) -> Outcome:
        """Repeat a call, at most ``tries`` times, until the layer takes it or refuses it for good.

        What finds no room in a full channel counts as taken.
        """
        delay = FIRST_DELAY
        while tries > 0:
            try:
                await self._call(CALL_TIMEOUT, call(to, what))
            except ChannelFull:
                counters.layer.add("full")
                now = asyncio.get_running_loop().time()
                self._bursts.error(
                    "full", "a channel of the layer is full: raise its capacity", now
                )
                return Outcome.TAKEN
            except (TypeError, ValueError, OverflowError, MessageTooLarge) as error:
                # The message is at fault, so the next call would fail, too.
                counters.layer.add("malformed")
                now = asyncio.get_running_loop().time()
                self._bursts.failure(error, "the channel layer cannot carry a message", now)
                return Outcome.REFUSED
            except Exception as error:
                delay = await self._pause(error, delay)
                tries -= 1
            else:
                self._worked()
                return Outcome.TAKEN
        return Outcome.FAILED

    async def _pause(self, error: Exception, delay: float) -> float:
        """Count a failed call, sleep ``delay`` seconds, and return the next delay."""
        if not self.closed:
            counters.layer.add("failed")
            if self.up:
                self.up = False
                logger.error("the channel layer is down: %s: %s", type(error).__name__, safe(error))
        await self._sleep(delay)
        return min(delay * 2, LONGEST_DELAY)

    async def _sleep(self, seconds: float) -> None:
        if self.closed:
            # A library may have swallowed a cancellation, as wait_for() does before Python 3.12.
            raise asyncio.CancelledError
        await asyncio.sleep(seconds)

    def _worked(self) -> None:
        if not self.up:
            self.up = True
            logger.warning("the channel layer is up again")


if sys.version_info >= (3, 11):

    async def _within(seconds: float, awaitable: Awaitable[Any]) -> None:
        """Await something for at most so many seconds, without a task as wait_for() would make."""
        async with asyncio.timeout(seconds):
            await awaitable

else:

    async def _within(seconds: float, awaitable: Awaitable[Any]) -> None:
        await asyncio.wait_for(awaitable, seconds)


async def _protected(seconds: float, awaitable: Awaitable[None]) -> None:
    """The same, but the call itself goes on."""
    await _within(seconds, asyncio.shield(awaitable))


def _is_timeout(error: Exception) -> bool:
    """Return whether a read has timed out. redis-py's TimeoutError is no subclass of Python's."""
    return any(base.__name__ == "TimeoutError" for base in type(error).__mro__)
