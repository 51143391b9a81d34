"""Run the fuzz targets, each in a process of its own."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# The targets, and their shares of the runs: some are a hundred times as fast as others.
SHARES = {
    "decoder": 0.40,
    "payload": 0.15,
    "payload3": 0.10,
    "session": 0.25,
    "bus": 0.05,
    "http": 0.025,
    "websocket": 0.025,
}
HANG, MEMORY = 10, 700  # seconds for one input, MiB in all


def command(target: str, runs: int, seed: int, corpus: str) -> list[str]:
    """The command that fuzzes a target."""
    return [
        *(sys.executable, "-m", f"tests.fuzz.{target}", corpus, f"-runs={runs}", f"-seed={seed}"),
        *(f"-timeout={HANG}", f"-rss_limit_mb={MEMORY}", "-max_len=4096", "-len_control=0"),
        f"-artifact_prefix={corpus}/",
        *("-print_final_stats=1", "-verbosity=0"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", choices=[*SHARES, []], help="by default all")
    parser.add_argument("--runs", type=int, default=200_000, help="inputs, over all targets")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    targets = arguments.targets or list(SHARES)
    whole = sum(SHARES[target] for target in targets)
    for target in targets:
        runs = round(arguments.runs * SHARES[target] / whole)
        print(f"{target}: {runs} inputs", flush=True)
        with tempfile.TemporaryDirectory() as corpus:
            done = subprocess.run(
                command(target, runs, arguments.seed, corpus),
                cwd=ROOT,
                env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.fuzz.settings"},
                stderr=subprocess.PIPE,
                text=True,
            )
        if done.returncode or f"{runs}" not in done.stderr:
            sys.exit(f"{target} has failed:\n{done.stderr[-6000:]}")
    print("all inputs were handled")


if __name__ == "__main__":
    main()
