"""``manage.py socketio_emit EVENT [ARGS...]``: sends an event from the shell."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from django_socketio import io


class Command(BaseCommand):
    """Sends an event to clients of all processes."""

    help = "Send an event to the clients of all server processes."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("event", help="the event's name")
        parser.add_argument("args", nargs="*", help="its arguments: JSON, else taken as text")
        parser.add_argument("--namespace", default="/", help='the namespace, by default "/"')
        parser.add_argument("--to", action="append", default=[], help="a room; may be repeated")

    def handle(self, *args: Any, **options: Any) -> None:
        operator = io.of(options["namespace"])
        if options["to"]:
            operator = operator.to(*options["to"])
        try:
            operator.emit(options["event"], *map(_parse, args))
        except (ValueError, ConnectionError) as error:
            raise CommandError(str(error)) from error


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
