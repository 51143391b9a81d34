"""Sessions come, talk and leave for minutes; then nothing of them may be left: ``make soak``."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import cycle
from statistics import median
from time import monotonic

from benchmarks import measure
from benchmarks.environment import prepared, run
from benchmarks.load.http import HTTPConnection
from benchmarks.load.visits import VISITS
from benchmarks.servers import SERVERS
from benchmarks.serving import Target, serving

AT_ONCE = 100
VISIT = 30.0  # seconds that one may take
GROWTH = 0.05  # of the memory after the first minute
PING_INTERVAL = 5.0  # seconds; sessions that were lost are given up after nine
SETTLED = 30.0  # seconds after which none may be left
SAMPLES = 1.0  # seconds between looks at the memory


@dataclass
class Soak:
    """Visits at an even rate, and the server's memory meanwhile."""

    target: Target
    sessions: int
    seconds: float
    failures: Counter[str] = field(default_factory=Counter)
    memory: list[tuple[float, int]] = field(default_factory=list)  # seconds, bytes
    done: int = 0

    async def run(self) -> None:
        """Raises nothing: visits that fail are counted."""
        self.started = monotonic()
        turns = iter(range(self.sessions))
        kinds = cycle(VISITS)

        async def visitor() -> None:
            for turn in turns:
                due = self.started + turn * self.seconds / self.sessions
                await asyncio.sleep(max(0.0, due - monotonic()))
                try:
                    await asyncio.wait_for(next(kinds)(self.target.port), VISIT)
                except (OSError, ValueError, asyncio.TimeoutError) as error:
                    self.failures[repr(error)[:200]] += 1
                self.done += 1

        watch = asyncio.ensure_future(self._watch())
        await asyncio.gather(*(visitor() for _ in range(AT_ONCE)))
        watch.cancel()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(SAMPLES)
            resident = sum(map(measure.memory, self.target.pids))
            self.memory.append((monotonic() - self.started, resident))
            if len(self.memory) % 10 == 0:
                _say(f"{self.memory[-1][0]:6.0f} s  {self.done:7} sessions  {_mib(resident)}")

    def growth(self) -> tuple[float, float]:
        """The memory after the first minute and at the end, in bytes: medians of ten looks."""
        first_minute = min(60.0, self.seconds / 4)
        early = [resident for at, resident in self.memory if at >= first_minute][:10]
        late = [resident for _, resident in self.memory][-10:]
        return median(early), median(late)


async def holdings(target: Target) -> dict[str, int]:
    """What the server says that it holds, this question included."""
    connection = await HTTPConnection.open(target.port)
    try:
        found: dict[str, int] = json.loads(await connection.ask(connection.get("/holdings/")))
        return found
    finally:
        connection.close()


async def settled(target: Target, wanted: dict[str, int] | None = None) -> dict[str, int]:
    """What is held once no session or just ``wanted`` is, or else after 30 seconds."""
    deadline = monotonic() + SETTLED
    while True:
        held = await holdings(target)
        if (held == wanted if wanted else not held["sessions"]) or monotonic() > deadline:
            return held
        await asyncio.sleep(0.5)


async def soak(target: Target, sessions: int, seconds: float) -> bool:
    """Whether the server has kept nothing."""
    # Everything is loaded, every pool filled, before the first look.
    await Soak(target, AT_ONCE * 10, 10.0).run()
    before = await settled(target)
    run = Soak(target, sessions, seconds)
    await run.run()
    took = monotonic() - run.started
    after = await settled(target, before)
    early, late = run.growth()
    growth = late / early - 1
    _say(f"{run.done} sessions in {took:.0f} s, {sum(run.failures.values())} failed")
    for failure, count in run.failures.most_common(5):
        _say(f"  {count} × {failure}")
    _say(f"memory after the first minute {_mib(early)}, at the end {_mib(late)}: {growth:+.1%}")
    for name, held in before.items():
        _say(f"{name}: {held} before, {after[name]} after")
    return not run.failures and growth <= GROWTH and after == before


def _mib(size: float) -> str:
    return f"{size / 2**20:.1f} MiB"


def _say(text: str) -> None:
    print(text, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--sessions", type=int, default=100_000)
    parser.add_argument(
        "--server",
        default="ours-uvicorn",
        choices=[name for name in SERVERS if name.startswith("ours-")],
    )
    arguments = parser.parse_args()

    async def measured() -> bool:
        with prepared() as options:
            options = replace(options, ping_interval=PING_INTERVAL)
            async with serving(SERVERS[arguments.server], options) as target:
                return await soak(target, arguments.sessions, arguments.minutes * 60)

    kept_nothing = run(measured())
    _say("Nothing is left." if kept_nothing else "FAILED: see above.")
    sys.exit(not kept_nothing)


if __name__ == "__main__":
    main()
