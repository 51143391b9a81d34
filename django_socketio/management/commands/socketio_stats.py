"""``manage.py socketio_stats [--json]``: what the server processes have counted."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from django_socketio.models import ServerProcess
from django_socketio.stats.totals import add_up


class Command(BaseCommand):
    help = "Show what the Socket.IO server processes have counted, as they last wrote it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print everything as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        processes = list(ServerProcess.objects.filter(ended=None).order_by("started"))
        reports = [process.as_report() for process in processes if process.is_running]
        total = add_up(reports)
        if options["json"]:
            shown = [
                {
                    **{key: value for key, value in process.as_report().items() if key != "recent"},
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
        traffic = total["traffic"]
        self.stdout.write(f"sockets now    {total['sockets']['total']}")
        for name, number in sorted(total["sockets"]["now"].items()):
            self.stdout.write(f"  {name:<24} {number}")
        self.stdout.write(f"sessions now   {total['sessions']['total']}")
        for name, number in sorted(total["sessions"]["now"].items()):
            self.stdout.write(f"  {name:<24} {number}")
        for name in ("events", "packets", "bytes", "acks"):
            self.stdout.write(
                f"{name:<14} {traffic.get(name + '_in', 0)} in, {traffic.get(name + '_out', 0)} out"
            )
        for name in ("disconnects", "refusals", "handler_errors", "violations", "limits", "layer"):
            for key, number in sorted(total[name].items()):
                self.stdout.write(f"{name.replace('_', ' '):<14} {key}: {number}")

    def _show(self, process: ServerProcess) -> None:
        sockets = process.counters.get("sockets", {}).get("total", 0)
        lag = process.counters.get("lag", {}).get("last", 0.0)
        state = self.style.ERROR("stale") if process.is_stale else "running"
        self.stdout.write(
            f"{process} ({process.node}) {state}: {sockets} sockets, lag {lag * 1000:.0f} ms, "
            f"last seen {process.last_seen:%Y-%m-%d %H:%M:%S} UTC"
        )
