"""What the operating system says about processes: CPU time, memory, cores. Linux only."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

LOOK, QUIET, PATIENCE = 0.01, 0.1, 2.0  # seconds, of a core, seconds
PAGE = os.sysconf("SC_PAGE_SIZE")


@cache
def cores() -> tuple[set[int], set[int]]:
    """The cores for the servers and for the load: one each, the same where there is one only.

    Looked up once: later we are on one core ourselves.
    """
    available = sorted(os.sched_getaffinity(0))
    return {available[0]}, {available[-1]}


def processes_of(session: int) -> list[int]:
    """The processes of a server that was started as the leader of this session."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(ProcessLookupError):
                if os.getsid(int(folder.name)) == session:
                    found.append(int(folder.name))
    return found


def cpu_time(pid: int) -> float:
    """User and system time of all threads, in seconds; /proc would count in 10 ms."""
    # What clock_getcpuclockid() makes of a process id: CPUCLOCK_SCHED is 2.
    return time.clock_gettime((~pid << 3) | 2)


async def settled(pids: list[int]) -> float:
    """Wait until processes have nothing left to do; the CPU time that they have used, in seconds.

    Some servers answer first and tidy up later, which is a part of the work, and not to be done
    while it is another one's turn.
    """
    used, deadline = -1.0, time.perf_counter() + PATIENCE
    while True:
        now = sum(map(cpu_time, pids))
        if now - used < QUIET * LOOK or time.perf_counter() > deadline:
            return now
        used = now
        await asyncio.sleep(LOOK)


def memory(pid: int) -> int:
    """Resident memory, in bytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE


def tcp_under_way(sender: int, receiver: int) -> int:
    """The bytes that the kernel holds on their way between two local ports."""
    held = 0
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        words = line.split()
        local, remote = (int(address.partition(":")[2], 16) for address in words[1:3])
        unsent, unread = (int(size, 16) for size in words[4].split(":"))
        if (local, remote) == (sender, receiver):
            held += unsent
        elif (local, remote) == (receiver, sender):
            held += unread
    return held


@dataclass(frozen=True)
class Usage:
    """A moment: what the servers and the load generator have used so far, in seconds."""

    servers: float
    load: float
    clock: float

    @classmethod
    def now(cls, pids: list[int]) -> Usage:
        return cls(sum(map(cpu_time, pids)), time.process_time(), time.perf_counter())


def percentile(values: list[float], share: float) -> float | None:
    """Of sorted values; None where there are none."""
    return values[min(len(values) - 1, int(len(values) * share))] if values else None
