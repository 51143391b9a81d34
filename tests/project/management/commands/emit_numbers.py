"""``manage.py emit_numbers ROOM TOTAL``: what a project's own command may do."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from django_socketio import io


class Command(BaseCommand):
    help = "Emit numbers to a room."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("room")
        parser.add_argument("total", type=int)

    def handle(self, *args: Any, room: str, total: int, **options: Any) -> None:
        for number in range(total):
            io.of("/fleet").to(room).emit("number", number)
