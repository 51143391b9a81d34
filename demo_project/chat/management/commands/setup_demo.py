"""Make everything the demo needs. It can be run again at any time."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils.text import slugify

from demo_project.chat.demo import ROOMS, USERS, WELCOME
from demo_project.chat.models import Message, Room


class Command(BaseCommand):
    help = "Migrate, and make the demo's users and rooms."

    def handle(self, *args: Any, verbosity: int, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("The demo's users have public passwords: set-up needs DEBUG.")
        call_command("migrate", interactive=False, verbosity=max(0, verbosity - 1))
        self.make_users()
        self.make_rooms()
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
