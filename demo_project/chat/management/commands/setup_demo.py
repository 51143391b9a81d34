"""Make everything the demo needs. It can be run again at any time."""

from __future__ import annotations

import os
import re
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils.text import slugify

from demo_project.chat.demo import CLIENT, ROOMS, USERS, WELCOME
from demo_project.chat.models import Message, Room


class Command(BaseCommand):
    help = "Migrate, make the demo's users and rooms, and put the Socket.IO client in place."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--client",
            metavar="PATH",
            default=os.environ.get("DEMO_SOCKETIO_CLIENT"),
            help="dist/socket.io.min.js of the npm package socket.io-client "
            "(by default the environment variable DEMO_SOCKETIO_CLIENT)",
        )

    def handle(self, *args: Any, client: str | None, verbosity: int, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("The demo's users have public passwords: set-up needs DEBUG.")
        call_command("migrate", interactive=False, verbosity=max(0, verbosity - 1))
        self.make_users()
        self.make_rooms()
        self.place_client(client)
        if verbosity:
            names = ", ".join(f"{user.username} / {user.password}" for user in USERS)
            self.stdout.write(self.style.SUCCESS("The demo is ready. ") + f"Log in as {names}.")

    def make_users(self) -> None:
        for demo_user in USERS:
            user, _ = get_user_model().objects.get_or_create(username=demo_user.username)
            user.is_active = True
            user.is_staff = user.is_superuser = demo_user.is_staff
            # A new hash of the same password would log the user out everywhere.
            if not user.check_password(demo_user.password):
                user.set_password(demo_user.password)
            user.save()

    def make_rooms(self) -> None:
        # In bulk no signal is sent: there are no open pages that could be told of the rooms.
        Room.objects.bulk_create(
            [Room(name=name, slug=slugify(name), topic=topic) for name, topic in ROOMS.items()],
            ignore_conflicts=True,
        )
        first = Room.objects.get(slug=slugify(next(iter(ROOMS))))
        if not first.messages.exists():
            staff = next(user for user in USERS if user.is_staff)
            Message.objects.create(
                room=first,
                author=get_user_model().objects.get(username=staff.username),
                text=WELCOME,
                announcement=True,
            )

    def place_client(self, source: str | None) -> None:
        """Copy the client below the app's static folder, which git ignores."""
        target = Path(apps.get_app_config("chat").path, "static", CLIENT)
        if source is None:
            if not target.is_file():
                self.stderr.write(
                    self.style.WARNING(
                        "The chat needs the Socket.IO client: npm install socket.io-client, then "
                        "manage.py setup_demo "
                        "--client node_modules/socket.io-client/dist/socket.io.min.js"
                    )
                )
            return
        try:
            content = Path(source).read_bytes()
        except OSError as error:
            raise CommandError(f"The Socket.IO client cannot be read: {error}") from error
        if not re.search(rb"Socket\.IO v\d", content[:200]):
            raise CommandError(f"{source} is not the browser build of the Socket.IO client.")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
