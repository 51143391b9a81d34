"""``python -m benchmarks``: measure servers side by side and print how they compare."""

from __future__ import annotations

import argparse
import asyncio
import sys

import uvloop

from benchmarks.runner import Runner
from benchmarks.scenarios import SCENARIOS
from benchmarks.scenarios.base import Pace
from benchmarks.servers import SERVERS, Options


def names(known: dict[str, object]):
    def parse(text: str) -> list[str]:
        chosen = text.split(",")
        return chosen

    return parse


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--scenario", type=names(SCENARIOS), default=list(SCENARIOS))
    parser.add_argument("--server", type=names(SERVERS), default=list(SERVERS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    runner = Runner(Pace(), arguments.rounds, Options(), lambda text: print(text, flush=True))

    async def run() -> None:
        for name in arguments.scenario:
            await runner.run(SCENARIOS[name], [SERVERS[name] for name in arguments.server])

    uvloop.run(run())


if __name__ == "__main__":
    main()
