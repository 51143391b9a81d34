"""What the targets share: instrumented imports, pieces of protocol, the loop's leftovers."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import atheris

__all__ = ["FuzzedDataProvider", "instrumented", "run", "text"]

FuzzedDataProvider = atheris.FuzzedDataProvider
instrumented = atheris.instrument_imports

# Pieces from which valid input is made; random bytes alone would hardly get past the first check.
PIECES = [
    *("0", "1", "2", "3", "4", "5", "6", "b", "40", "41", "42", "43", "44", "45", "46", "\x1e"),
    *('["e"]', '["echo",1]', '["e",{"_placeholder":true,"num":0}]', "51-", "52-", "461-", "450-"),
    *("/", "/a", "/a,", "/a?x=1,", "7", "0", "12345678901234567", "[", "]", "{", "}", ",", ":"),
    *('"', "null", "true", "NaN", "Infinity", "-0", "1e999", "\\ud800", "\\u0000", "é", "\ud83d"),
    *("bAQI=", "probe", "2probe", "3probe", '{"sid":"x"}', '{"message":"m"}', "disconnect"),
]


def text(data: Any, most: int = 40) -> str:
    """A text from pieces of the protocol and random characters."""
    parts = []
    for _ in range(data.ConsumeIntInRange(0, most)):
        if data.ConsumeBool():
            part = PIECES[data.ConsumeIntInRange(0, len(PIECES) - 1)]
        else:
            part = data.ConsumeUnicode(data.ConsumeIntInRange(0, 8))
        # What is large takes other ways.
        parts.append(part * 1500 if data.ConsumeIntInRange(0, 99) == 0 else part)
    return "".join(parts)


def packet(data: Any) -> str | bytes:
    """A text or binary message."""
    if data.ConsumeIntInRange(0, 4) == 0:
        found: bytes = data.ConsumeBytes(data.ConsumeIntInRange(0, 100))
        return found
    return text(data, 8)


def run(test: Callable[[Any], None]) -> None:
    """Fuzz ``test``, which takes a FuzzedDataProvider, as the command line says."""

    def one(data: bytes) -> None:
        test(atheris.FuzzedDataProvider(data))

    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
