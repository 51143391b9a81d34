"""What is measured, by name."""

from __future__ import annotations

from benchmarks.scenarios.base import Scenario as Scenario
from benchmarks.scenarios.broadcast import Broadcast
from benchmarks.scenarios.connect import Connect, Upgrade
from benchmarks.scenarios.echo import Ack, Binary, Echo, Query
from benchmarks.scenarios.idle import Idleness
from benchmarks.scenarios.polling import Polling
from benchmarks.scenarios.redis import TwoProcesses

SCENARIOS: dict[str, Scenario] = {
    scenario.name: scenario
    for scenario in (
        Echo(),
        Ack(),
        Binary(),
        Broadcast(),
        Upgrade(),
        Connect(),
        Polling(),
        Idleness(),
        TwoProcesses(),
        Query(),
    )
}
