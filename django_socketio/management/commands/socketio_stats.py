"""``manage.py socketio_stats [--json]``: shows what the server processes have counted."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from django.core.management.base import BaseCommand

from django_socketio.models import ServerProcess
from django_socketio.stats.counters import TallyName
from django_socketio.stats.totals import add_up

# These entries of a report are left out of the JSON.
NOT_SHOWN = ("recent", "name")
# The tallies that are shown.
TROUBLES: tuple[TallyName, ...] = (
    "disconnects",
    "refusals",
    "handler_errors",
    "violations",
    "limits",
    "layer",
)


class Command(BaseCommand):
    help = "Show what the Socket.IO server processes have counted, as they last wrote it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print everything as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        known = ServerProcess.objects.filter(ended=None).order_by("started")
        # The living first: what is stale may be of days ago.
        processes = sorted(known, key=lambda process: process.is_stale)
        total = add_up(process.as_report() for process in processes if process.is_running)
        if options["json"]:
            shown = [
                {
                    **{
                        key: value
                        for key, value in process.as_report().items()
                        if key not in NOT_SHOWN
                    },
                    "last_seen": process.last_seen.isoformat(),
                    "stale": process.is_stale,
                }
                for process in processes
            ]
            self.stdout.write(json.dumps({"processes": shown, "total": total}, indent=2))
            return
        if not processes:
            self.stdout.write("No server process has written statistics.")
            return
        for process in processes:
            self._show(process)
        traffic: Mapping[str, Any] = total["traffic"]
        self.stdout.write(f"sockets now    {total['sockets']['total']}")
        for name, number in sorted(total["sockets"]["now"].items()):
            self.stdout.write(f"  {name:<24} {number}")
        self.stdout.write(f"sessions now   {total['sessions']['total']}")
        for name, number in sorted(total["sessions"]["now"].items()):
            self.stdout.write(f"  {name:<24} {number}")
        for name in ("events", "packets", "bytes", "acks"):
            self.stdout.write(
                f"{name:<14} {traffic[name + '_in']} in, {traffic[name + '_out']} out"
            )
        for tally in TROUBLES:
            for key, number in sorted(total[tally].items()):
                self.stdout.write(f"{tally.replace('_', ' '):<14} {key}: {number}")

    def _show(self, process: ServerProcess) -> None:
        counted = process.as_report()["counters"]
        sockets, lag = counted["sockets"]["total"], counted["lag"]["last"]
        state = self.style.ERROR("stale") if process.is_stale else "running"
        self.stdout.write(
            f"{process} ({process.node}) {state}: {sockets} sockets, lag {lag * 1000:.0f} ms, "
            f"last seen {process.last_seen:%Y-%m-%d %H:%M:%S} UTC"
        )
