"""What happens when a project starts: each test is a project and a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.harness.processes import Process
from tests.harness.servers import LISTENING, command
from tests.harness.waiting import until

ROOT = Path(__file__).resolve().parents[2]

SETTINGS = """
SECRET_KEY = "only-for-tests"
ALLOWED_HOSTS = ["*"]
USE_TZ = True
INSTALLED_APPS = [{auth}"channels", "django_socketio", "shop", "empty", "nested.apps.Nested"]
DATABASES = {databases}
SOCKETIO = {socketio}
"""

AUTH = '"django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", '

SHOP = """
from django.apps import apps
from django_socketio import SocketIOConsumer, event, register

@register("/shop")
class Shop(SocketIOConsumer):
    models_ready = apps.models_ready

    @event
    def hello(self, name):
        return f"hello {name}, {self.user}"

@register("/members")
class Members(SocketIOConsumer):
    login_required = True
"""

NESTED = """
from django.apps import AppConfig

class Nested(AppConfig):
    name = "nested"
    label = "inside"
"""

NESTED_CONSUMERS = """
from django_socketio import SocketIOConsumer, register

@register("/doc-<int:pk>")
class Doc(SocketIOConsumer):
    pass
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    make_project(tmp_path)
    return tmp_path


def make_project(
    folder: Path, auth: str = AUTH, databases: Any = None, socketio: Any = None
) -> None:
    files = {
        "settings.py": SETTINGS.format(
            auth=auth, databases=repr(databases or {}), socketio=repr(socketio or {})
        ),
        "shop/__init__.py": "",
        "shop/consumers.py": SHOP,
        "empty/__init__.py": "",
        "nested/__init__.py": "",
        "nested/apps.py": NESTED,
        "nested/consumers.py": NESTED_CONSUMERS,
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)


def run(folder: Path, *args: str, settings: bool = True) -> subprocess.CompletedProcess[str]:
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST", "DJANGO", "COV"))
    }
    environment["PYTHONPATH"] = os.pathsep.join([str(folder), str(ROOT)])
    if settings:
        environment["DJANGO_SETTINGS_MODULE"] = "settings"
    return subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning", *args],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def python(folder: Path, code: str, settings: bool = True) -> Any:
    """What the code prints, which is JSON."""
    done = run(folder, "-c", code, settings=settings)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout)


def test_every_apps_consumers_are_imported(project: Path) -> None:
    code = """
import json, django
django.setup()
from django_socketio.server.registry import registry
shop, doc = registry.find("/shop"), registry.find("/doc-7")
print(json.dumps([shop[0].__module__, shop[0].models_ready, doc[0].__module__, doc[1]]))
"""
    assert python(project, code) == ["shop.consumers", True, "nested.consumers", {"pk": 7}]


def test_a_broken_consumers_module_is_not_hidden(project: Path) -> None:
    (project / "shop" / "consumers.py").write_text("import nothing_of_this_name")
    done = run(project, "-c", "import django; django.setup()")
    assert done.returncode != 0
    assert "nothing_of_this_name" in done.stderr


def test_the_application_may_be_made_before_django_is_set_up(project: Path) -> None:
    code = """
import json, os, sys
import django_socketio
from django_socketio.asgi import AuthMiddlewareStack, SocketIOApplication
assert "django.apps.registry" not in sys.modules, "Django has been imported"
early = SocketIOApplication(None, middleware=AuthMiddlewareStack)
os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
from django.core.asgi import get_asgi_application
application = SocketIOApplication(get_asgi_application())
from django.apps import apps
print(json.dumps([apps.ready, type(application).__name__]))
"""
    assert python(project, code, settings=False) == [True, "SocketIOApplication"]


def test_the_public_names_need_no_settings_to_be_imported(project: Path) -> None:
    code = """
import json
import django_socketio
from django_socketio.exceptions import AckTimeout, ConnectionRefused, Disconnected, EventRefused
from django_socketio import signals
names = ["ConnectionRefused", "SocketIOConsumer", "event", "io", "register"]
assert set(names) <= set(django_socketio.__all__) <= set(dir(django_socketio))
print(json.dumps(True))
"""
    assert python(project, code, settings=False) is True


CONNECT = """
import asyncio, json, django
django.setup()
from django_socketio import io
from django_socketio.asgi import SocketIOApplication
from django_socketio.testing import SocketIOCommunicator

async def rest(scope, receive, send): ...

application = SocketIOApplication(rest)

async def main():
    seen = []
    client = SocketIOCommunicator(application, "/shop")
    seen.append((await client.connect(timeout=30)).connected)
    seen.append(await client.call("hello", "ada", timeout=30))
    await io.of("/shop").emit("news", 1)
    await io.on_commit.of("/shop").emit("news", 2)
    seen.append(await client.receive_event(timeout=30))
    seen.append(await client.receive_event(timeout=30))
    other = SocketIOCommunicator(application, "/members")
    seen.append((await other.connect(timeout=30)).details)
    await client.disconnect(timeout=30)
    await other.disconnect(timeout=30)
    print(json.dumps(seen))

asyncio.run(main())
"""


def test_a_project_without_auth_and_without_a_database(tmp_path: Path) -> None:
    make_project(tmp_path, auth="")
    assert python(tmp_path, CONNECT) == [
        True,
        "hello ada, None",
        ["news", [1]],
        ["news", [2]],
        {"message": "Login required"},
    ]


def test_a_project_with_auth(project: Path) -> None:
    database = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(project / "db.sqlite3")}
    make_project(project, databases={"default": database})
    assert python(project, CONNECT)[1] == "hello ada, AnonymousUser"


def test_the_checks_run_with_manage_py(tmp_path: Path) -> None:
    make_project(tmp_path, socketio={"PING_INTERVALL": 5, "PING_TIMEOUT": "soon"})
    done = run(tmp_path, "-m", "django", "check")
    assert done.returncode == 1
    assert "PING_INTERVALL" in done.stderr
    assert 'Did you mean "PING_INTERVAL"?' in done.stderr
    assert 'SOCKETIO["PING_TIMEOUT"]' in done.stderr
    assert "a number above 0" in done.stderr


# Applications that are made after Django was set up, as usual, and before.
LATE = """
from django.core.asgi import get_asgi_application
from django_socketio.asgi import SocketIOApplication

application = SocketIOApplication(get_asgi_application())
"""
EARLY = """
from django_socketio.asgi import SocketIOApplication

async def rest(scope, receive, send):
    assert scope["type"] == "http", scope
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"the rest of the project"})

application = SocketIOApplication(rest)

import django
django.setup()
"""
BAD = {
    "key": ({"PING_INTERVALL": 5}, """'PING_INTERVALL'. Did you mean "PING_INTERVAL"?"""),
    "layer": ({"CHANNEL_LAYER": "chat"}, "Add 'chat' to CHANNEL_LAYERS"),
}


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """Start a server on a project with these settings, and with this text as its asgi.py."""
    started: list[Process] = []

    def start(server: str, asgi: str, socketio: dict[str, Any], *options: str) -> Process:
        make_project(tmp_path, socketio=socketio)
        (tmp_path / "asgi.py").write_text(asgi)
        path = os.pathsep.join([str(tmp_path), str(ROOT)])
        environment = {"PYTHONPATH": path, "DJANGO_SETTINGS_MODULE": "settings"}
        arguments = [*command(server, "asgi:application", 0), *options]
        started.append(Process(arguments, environment, cwd=tmp_path))
        return started[-1]

    yield start
    for process in started:
        process.kill()


@pytest.mark.parametrize(
    ("server", "asgi"),
    [("uvicorn", LATE), ("uvicorn", EARLY), ("daphne", LATE)],
    ids=["uvicorn", "uvicorn-early", "daphne"],
)
@pytest.mark.parametrize("bad", BAD)
def test_a_server_does_not_start_with_bad_settings(
    serve: Callable[..., Process], server: str, asgi: str, bad: str
) -> None:
    socketio, expected = BAD[bad]
    process = serve(server, asgi, socketio)
    until(lambda: not process.running, f"{server} to give up", 30)
    process.kill()  # so that all that it has written has been read
    assert process.code not in (0, None, -signal.SIGKILL)
    assert expected in process.log
    assert asgi == LATE or "Traceback" not in process.log


@pytest.mark.parametrize(
    ("server", "options"),
    [("uvicorn", ("--lifespan", "off")), ("daphne", ())],
    ids=["uvicorn", "daphne"],
)
def test_the_rest_works_where_the_start_could_not_fail(
    serve: Callable[..., Process], server: str, options: tuple[str, ...]
) -> None:
    """Made before Django is set up, on a server without lifespan: nobody asks before a request."""
    socketio, expected = BAD["key"]
    process = serve(server, EARLY, socketio, *options)
    port = process.wait_for_line(LISTENING)[1]
    for path in ("/", "/socket.io/?EIO=4&transport=polling", "/"):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as response:
            assert response.read() == b"the rest of the project"
    process.stop()
    assert process.log.count(expected) == 1
    assert "Traceback" not in process.log


@pytest.mark.parametrize("call", ['emit("news", 1)', 'to("room").sockets_join("other")'])
def test_a_command_that_reaches_nobody(project: Path, call: str) -> None:
    """Nothing is lost silently: the error says what to configure."""
    done = run(
        project, "-c", f"import django; django.setup(); from django_socketio import io; io.{call}"
    )
    assert done.returncode != 0
    assert "ImproperlyConfigured" in done.stderr
    assert "CHANNEL_LAYERS" in done.stderr
