"""The values that the options of ``@event`` and of classes take."""

from __future__ import annotations

import traceback
from collections import deque
from typing import Any

import pytest

from django_socketio import SocketIOConsumer, event
from django_socketio.server.handlers import collect
from django_socketio.server.rates import Rate, in_milliseconds, parse_rate


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        *(("10/s", Rate(10, 1)), ("1/sec", Rate(1, 1)), ("2/second", Rate(2, 1))),
        *(("3/m", Rate(3, 60)), ("4/min", Rate(4, 60)), ("5/minute", Rate(5, 60))),
        *(("6/h", Rate(6, 3600)), ("7/hour", Rate(7, 3600))),
        *(("8/d", Rate(8, 86400)), ("900/day", Rate(900, 86400))),
    ],
)
def test_a_rate(text: str, rate: Rate) -> None:
    assert parse_rate(text) == rate


@pytest.mark.parametrize(
    "text", ["", "10", "10/", "/s", "0/s", "-1/s", "1.5/s", "10/x", "10/S", "10 / s", "10/s\n", 10]
)
def test_no_rate(text: Any) -> None:
    with pytest.raises(ValueError, match='is no rate: write "10/s"'):
        parse_rate(text)


def test_no_window_has_more_than_the_rate_says() -> None:
    rate, passed = Rate(3, 1), deque[float]()
    times = [tenth / 10 for tenth in range(40)]
    passing = [now for now in times if not rate.admit(passed, now)]
    assert passing[:6] == [0.0, 0.1, 0.2, 1.0, 1.1, 1.2]
    assert len(passed) == 3
    for start in times:
        assert len([now for now in passing if start <= now < start + 1]) <= 3


def test_who_waits_as_long_as_told_is_admitted() -> None:
    rate, passed = Rate(1, 60), deque[float]()
    assert rate.admit(passed, 0.1234567) == 0
    wait = in_milliseconds(rate.admit(passed, 30.7654321))
    assert wait == 29.359
    assert rate.admit(passed, 30.7654321 + wait) == 0


BAD = [
    *(("permission", ""), ("permission", 1), ("permission", ["a.b", ""]), ("permission", [None])),
    *(("throttle", "10"), ("throttle", 10), ("throttle", "10/w"), ("throttle", "")),
    *(("timeout", 0), ("timeout", -1), ("timeout", "5"), ("timeout", True)),
    *(("timeout", float("inf")), ("timeout", float("nan"))),
]


@pytest.mark.parametrize(("option", "value"), BAD)
def test_bad_values_are_errors_of_the_project(option: str, value: Any) -> None:
    options = {option: value}
    with pytest.raises((TypeError, ValueError), match=f"^{option}: .* is no ") as caught:

        class Consumer(SocketIOConsumer):
            @event(**options)
            async def save(self) -> None: ...

    assert traceback.extract_tb(caught.value.__traceback__)[-1].filename == __file__

    with pytest.raises((TypeError, ValueError), match=f"^ChatConsumer.event_{option}: ") as caught:
        type("ChatConsumer", (SocketIOConsumer,), {f"event_{option}": value})
    assert traceback.extract_tb(caught.value.__traceback__)[-1].filename == __file__


def test_a_handler_without_options_is_not_wrapped() -> None:
    class Consumer(SocketIOConsumer):
        @event
        async def save(self) -> None: ...

        @event(timeout=None, throttle=None, permission=())
        def load(self) -> None: ...

    handlers = collect(Consumer)
    assert handlers["save"].function is Consumer.save
    assert handlers["load"].function is Consumer.load
    assert (handlers["save"].is_async, handlers["load"].is_async) == (True, False)


def test_what_runs_on_the_loop() -> None:
    class Consumer(SocketIOConsumer):
        @event(permission="a.b")
        def in_thread(self) -> None: ...

        @event(throttle="1/s")
        def throttled(self, text: str) -> None: ...

    handlers = collect(Consumer)
    assert handlers["in_thread"].is_async is False
    assert handlers["throttled"].is_async is True
    assert (handlers["throttled"].least, handlers["throttled"].most) == (1, 1)
