"""What `manage.py setup_demo` makes, and the pages mention."""

from __future__ import annotations

from typing import NamedTuple


class DemoUser(NamedTuple):
    username: str
    password: str
    is_staff: bool = False


USERS = [
    DemoUser("alice", "demo"),
    DemoUser("bob", "demo"),
    DemoUser("admin", "demo", is_staff=True),
]

ROOMS = {
    "Lobby": "Come in and say hello.",
    "Pictures": "Drop an image, paste one, or take one.",
    "Django": "Models, views and sockets.",
}

WELCOME = "Welcome! Open this page in a second browser, log in as somebody else, and talk."
