"""What one anonymous client can make the server pay, and how long another one waits meanwhile."""

from __future__ import annotations

import argparse
import asyncio
import sys
from dataclasses import dataclass
from time import perf_counter

from benchmarks import measure
from benchmarks.environment import prepared, run
from benchmarks.hostile.attacks import ATTACKS, Attack
from benchmarks.hostile.wire import Connection, Socket
from benchmarks.processes import python
from benchmarks.servers import OURS, Options, Server, daphne
from benchmarks.serving import Target, serving

MAX_CPU, MAX_MEMORY, MAX_WAIT = 1.0, 50e6, 0.1  # seconds, bytes, seconds: what one may cost
EVERY = 0.005  # seconds between the bystander's echoes, and between looks at the memory
SETTLED, PATIENCE = 1.0, 40.0  # seconds without work until an attack is over; at most


def plain_uvicorn(*flags: str) -> Server:
    """uvicorn as a project starts it, without the flags that a benchmark gives it."""

    def command(port: int, options: Options) -> list[str]:
        listen = ("--host", "127.0.0.1", "--port", str(port), "--no-access-log")
        return python("-m", "uvicorn", OURS, *listen, "--log-level", "warning", *flags)

    return Server("uvicorn", "uvicorn", command)


TARGETS = {
    "uvicorn": plain_uvicorn("--ws-per-message-deflate", "false", "--ws-max-size", "1000000"),
    "uvicorn-defaults": plain_uvicorn(),
    "daphne": Server("daphne", "daphne", daphne(OURS)),
}


@dataclass
class Cost:
    """What an attack has cost: seconds of CPU, bytes, seconds that an echo took at most."""

    sent: int
    cpu: float
    peak: int
    held: int
    waited: float
    logged: int

    @property
    def within_bounds(self) -> bool:
        return self.cpu <= MAX_CPU and self.peak <= MAX_MEMORY and self.waited <= MAX_WAIT

    def row(self, title: str) -> str:
        megabytes = (f"{size / 1e6:.1f}" for size in (self.peak, self.held, self.logged))
        numbers = (f"{self.sent / 1000:.0f}", f"{self.cpu:.2f}", *megabytes)
        mark = "" if self.within_bounds else " *"
        return f"| {title} | {' | '.join(numbers)} | {self.waited * 1000:.0f}{mark} |"


HEAD = """\
| sent by one anonymous client | KB sent | CPU, s | peak, MB | left, MB | log, MB | echo, ms |
|---|---|---|---|---|---|---|"""


async def cost(target: Target, attack: Attack) -> Cost:
    """What an attack costs the target, which is a fresh one."""
    memory, longest, over = [0], [0.0], asyncio.Event()
    bystander = await Socket.joined(target.port, "/")
    Connection.sent = 0

    async def echo() -> None:
        while not over.is_set():
            began = perf_counter()
            await bystander.text('42["echo","x"]')
            if b"echo" not in await bystander.until(b'"x"]'):
                longest[0] = float("inf")
                return
            longest[0] = max(longest[0], perf_counter() - began)
            Connection.sent -= len(bystander.frame('42["echo","x"]'))
            await asyncio.sleep(EVERY)

    async def watch() -> None:
        while not over.is_set():
            memory[0] = max(memory[0], _memory(target))
            await asyncio.sleep(EVERY)

    echoing = asyncio.ensure_future(echo())
    await asyncio.sleep(0.2)
    cpu, before, logged = _cpu(target), _memory(target), _logged(target)
    longest[0] = 0.0
    watching = asyncio.ensure_future(watch())
    began = perf_counter()
    left = await attack(target.port)
    await _quiet(target)
    took = perf_counter() - began
    over.set()
    await asyncio.gather(echoing, watching)
    used = _cpu(target) - cpu - took * await _idle_load(target, bystander)
    for connection in left:
        connection.close()
    await asyncio.sleep(0.5)
    held = _memory(target) - before
    return Cost(
        Connection.sent,
        max(used, 0.0),
        memory[0] - before,
        held,
        longest[0],
        _logged(target) - logged,
    )


def _cpu(target: Target) -> float:
    return sum(map(measure.cpu_time, target.pids))


def _memory(target: Target) -> int:
    return sum(map(measure.memory, target.pids))


def _logged(target: Target) -> int:
    return sum(process.written() for process in target.processes)


async def _quiet(target: Target) -> None:
    """Wait until the server has little more to do than the bystander's echoes."""
    deadline = perf_counter() + PATIENCE
    quiet, used = 0.0, _cpu(target)
    while quiet < SETTLED and perf_counter() < deadline:
        await asyncio.sleep(0.1)
        now = _cpu(target)
        quiet = quiet + 0.1 if now - used < 0.02 else 0.0
        used = now


async def _idle_load(target: Target, bystander: Socket) -> float:
    """The share of a core that the bystander's echoes take by themselves."""
    cpu, began = _cpu(target), perf_counter()
    while perf_counter() < began + 0.5:
        await bystander.text('42["echo","x"]')
        await bystander.until(b'"x"]')
        await asyncio.sleep(EVERY)
    return (_cpu(target) - cpu) / (perf_counter() - began)


async def measured(names: list[str], wanted: str) -> bool:
    """Print a table for each server. Returns whether all is within the bounds."""
    good = True
    with prepared() as options:
        for name in names:
            print(f"\n## {name}\n\n{HEAD}", flush=True)
            for title, attack in ATTACKS.items():
                if wanted not in title:
                    continue
                async with serving(TARGETS[name], options) as target:
                    found = await cost(target, attack)
                good = good and found.within_bounds
                print(found.row(title), flush=True)
    return good


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hostile", description=__doc__)
    parser.add_argument("--server", default=",".join(TARGETS), help="of " + ", ".join(TARGETS))
    parser.add_argument("--attack", default="", help="only those with this in their title")
    arguments = parser.parse_args()
    sys.exit(not run(measured(arguments.server.split(","), arguments.attack)))


if __name__ == "__main__":
    main()
