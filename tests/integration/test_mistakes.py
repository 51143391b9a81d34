"""Mistakes in a project with DEBUG, as it is run: the process's own output has the cure."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.harness import wire
from tests.harness.processes import ROOT, Process
from tests.harness.servers import LISTENING, command

FILES = {
    "mistaken_settings.py": """
DEBUG = True
SECRET_KEY = "only-for-tests"
ALLOWED_HOSTS = ["*"]
USE_TZ = True
INSTALLED_APPS = [
    "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "channels",
    "django_socketio", "mistaken",
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "mistaken.sqlite3"}}
""",
    "mistaken_asgi.py": """
from django.core.asgi import get_asgi_application
from django_socketio.asgi import SocketIOApplication

application = SocketIOApplication(get_asgi_application(), middleware=None)
""",
    "mistaken/__init__.py": "",
    "mistaken/consumers.py": """
import time
from django.contrib.auth.models import User
from django.db.models.signals import post_save
from django_socketio import SocketIOConsumer, event, io, register

@register("/chat")
class Chat(SocketIOConsumer):
    async def notify(self): ...

    @event
    async def save(self):
        self.notify()

    @event
    async def slow(self):
        time.sleep(0.2)

def tell(instance, **kwargs):
    io.emit("user", instance.username)

post_save.connect(tell, sender=User)
""",
    "commands.py": """
import django, json, pathlib
django.setup()
from django.contrib.auth.models import User
from django.core.management import call_command
call_command("migrate", verbosity=0)
call_command("createsuperuser", "--noinput", username="alice", email="a@example.com", verbosity=0)
pathlib.Path("users.json").write_text(json.dumps(
    [{"model": "auth.user", "pk": 7, "fields": {"username": "bob", "password": "!"}}]
))
call_command("loaddata", "users.json", verbosity=0)
print(sorted(User.objects.values_list("username", flat=True)))
""",
}

Start = Callable[..., Process]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a process of the project."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    env = {
        "DJANGO_SETTINGS_MODULE": "mistaken_settings",
        "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)]),
    }
    started: list[Process] = []

    def start(*arguments: str) -> Process:
        started.append(Process(arguments, env, tmp_path))
        return started[-1]

    yield start
    for process in started:
        process.kill()


def test_commands_whose_receivers_emit(start: Start) -> None:
    """Nothing is shared with a server: that is one warning, and no reason to fail."""
    process = start(sys.executable, "commands.py")
    process.wait_for_line(r"\['alice', 'bob'\]")
    assert process.log.count("nothing is sent from this process. ") == 1
    assert "RedisPubSubChannelLayer" in process.log
    assert "Traceback" not in process.log


def test_daphne_swallows_no_forgotten_await(start: Start) -> None:
    process = start(*command("daphne", "mistaken_asgi:application"))
    port = int(process.wait_for_line(LISTENING)[1])
    with wire.open_peer(SimpleNamespace(port=port), "/chat") as peer:
        peer.send('42/chat,["save"]', '42/chat,["slow"]', '42/chat,["sve"]', "40/chatt,")
        for line in (
            r"coroutine 'Chat.notify' was never awaited: did you forget “await”\? \(.*consumers.py",
            r"mistaken.consumers.Chat.slow blocked the event loop for 0\.\d s",
            r"event sve has no handler in mistaken.consumers.Chat; .*did you mean 'save'\?",
            r"no consumer serves namespace /chatt; served are: .*/chat",
        ):
            process.wait_for_line(line)
