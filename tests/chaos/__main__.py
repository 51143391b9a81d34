"""The command: ``python -m tests.chaos --seed 7 --layer core --deliveries 1000000``."""

from __future__ import annotations

import argparse
import asyncio
import sys
from dataclasses import fields

from tests.chaos import __doc__ as about
from tests.chaos.run import Plan, run


def main() -> int:
    """Print the verdict. Returns 0 where nothing is missing, doubled or reordered."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=about)
    for option in fields(Plan):
        kind = {"str": str, "int": int, "float": float}[str(option.type)]
        parser.add_argument(f"--{option.name}", type=kind, default=option.default)
    parser.add_argument("--logs", action="store_true", help="print what the processes have logged")
    options = vars(parser.parse_args())
    with_logs = options.pop("logs")
    plan = Plan(**options)
    print(f"{plan}: {plan.numbers} numbers from each process", flush=True)
    result = asyncio.run(run(plan))
    if with_logs:
        print(result.logs)
    print(f"{result.seconds:.0f} s; faults: {dict(sorted(result.faults.items()))}")
    print(f"layer: {dict(sorted(result.layer.items()))}")
    print(result.verdict)
    return 0 if result.verdict.right else 1


if __name__ == "__main__":
    sys.exit(main())
