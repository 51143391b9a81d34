"""A short run of each fuzz target; ``make fuzz`` makes long ones."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest

from .__main__ import ROOT, SHARES

RUNS = 2000
# These load Django with all its code instrumented, which takes longer than their inputs.
SERVERS = {"bus", "http", "websocket"}
TARGETS = [
    pytest.param(target, marks=[pytest.mark.matrix] if target in SERVERS else [])
    for target in SHARES
]


@pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None, reason="atheris has no wheel for this machine"
)
@pytest.mark.parametrize("target", TARGETS)
def test_fuzz(target: str) -> None:
    command = [sys.executable, "-m", "tests.fuzz", target, "--runs", str(RUNS)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "all inputs were handled"
