"""Measure Socket.IO servers side by side and print how they compare: ``python -m benchmarks``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from time import monotonic

from benchmarks import machine
from benchmarks.environment import prepared, run
from benchmarks.runner import Runner
from benchmarks.scenarios import SCENARIOS
from benchmarks.scenarios.base import Pace
from benchmarks.servers import SERVERS
from benchmarks.table import markdown

QUICK_SERVERS = ["ours-uvicorn", "floor", "python-socketio", "node"]
QUICK = Pace(idle=1000)


def main() -> None:
    arguments = _arguments()
    started = monotonic()

    def say(text: str) -> None:
        print(f"{monotonic() - started:6.0f} s  {text}", file=sys.stderr, flush=True)

    with prepared() as options:
        runner = Runner(
            QUICK if arguments.quick else Pace(),
            arguments.rounds or (5 if arguments.quick else 20),
            options,
            say,
        )
        chosen = [SCENARIOS[name] for name in arguments.scenario]
        servers = [SERVERS[name] for name in arguments.server]
        run(runner.run_all(chosen, servers))
    metrics = [metric for scenario in chosen for metric in scenario.metrics]
    report = "\n".join(
        ["# Benchmarks", "", machine.describe(), "", markdown(runner.results, metrics)]
    )
    print(report)
    if arguments.output:
        arguments.output.write_text(report)
    sys.exit(bool(runner.results.failures))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--scenario",
        type=_names(SCENARIOS),
        default=list(SCENARIOS),
        metavar="NAME,...",
        help=f"all by default: {', '.join(SCENARIOS)}",
    )
    parser.add_argument(
        "--server",
        type=_names(SERVERS),
        metavar="NAME,...",
        help=f"all by default: {', '.join(SERVERS)}",
    )
    parser.add_argument("--rounds", type=int, help="20 by default")
    parser.add_argument(
        "--quick", action="store_true", help="a few rounds, and the most important servers"
    )
    parser.add_argument("--output", type=Path, help="write the tables to this file, too")
    arguments = parser.parse_args()
    if arguments.server is None:
        arguments.server = QUICK_SERVERS if arguments.quick else list(SERVERS)
    return arguments


def _names(known: Iterable[str]) -> Callable[[str], list[str]]:
    def parse(text: str) -> list[str]:
        names = text.split(",")
        for name in names:
            if name not in known:
                raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(known)}")
        return names

    return parse


if __name__ == "__main__":
    main()
