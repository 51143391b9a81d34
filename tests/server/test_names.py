"""The project's own mistakes end where the project can mend them, so that ``runserver`` notices."""

from __future__ import annotations

import importlib.util
import re
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.apps import AppConfig
from django.core.exceptions import ImproperlyConfigured
from django.utils import autoreload

from django_socketio import SocketIOConsumer, event, register
from django_socketio.checks import check_consumers
from django_socketio.server.registry import Registry
from tests.server.test_startup import make_project, python

HEAD = """
import abc, re
from django_socketio import SocketIOConsumer, event, register

class Parent(SocketIOConsumer):
    pass

class Named:
    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)

class Meta(type):
    def __new__(cls, *args, **kwargs):
        return super().__new__(cls, *args, **kwargs)

register("/taken")(Parent)

"""

# Each is wrong on the line that ends with "# here".
WRONG = {
    "a class": """
class Chat(SocketIOConsumer):  # here
    def join(self, room):
        pass
""",
    "a class with decorators": """
@register("/chat")
@register("/other")
class Chat(  # here
    SocketIOConsumer,
):
    login_requred = True
""",
    "a class in a function": """
def make():
    class Chat(SocketIOConsumer):  # here
        def connect(self):
            pass

make()
""",
    "a class with a metaclass": """
class Chat(SocketIOConsumer, abc.ABC):  # here
    data = {}
""",
    "a class with the project's metaclass": """
class Chat(SocketIOConsumer, metaclass=Meta):  # here
    data = {}
""",
    "a class whose mixin has a hook": """
class Chat(Named, SocketIOConsumer):  # here
    data = {}
""",
    "a class made by a call": """
Chat = type("Chat", (SocketIOConsumer,), {"data": {}})  # here
""",
    "a handler with a keyword-only argument": """
class Chat(SocketIOConsumer):  # here
    @event
    async def save(self, *, text):
        pass
""",
    "a reserved name": """
class Chat(SocketIOConsumer):
    @event("fine")
    async def save(self, text):
        pass

    @event("connect")  # here
    async def on_connect(self):
        pass
""",
    "a hook that is decorated": """
class Chat(SocketIOConsumer):
    @event  # here
    async def connect(self, auth):
        pass
""",
    "a name that is no text": """
class Chat(SocketIOConsumer):
    @event(5)  # here
    async def save(self):
        pass
""",
    "a static method": """
class Chat(SocketIOConsumer):
    @event()  # here
    @staticmethod
    def save():
        pass
""",
    "a namespace that is taken": """
@register("/chat")
@register("/taken")  # here
class Chat(SocketIOConsumer):
    pass
""",
    "a class that is no consumer": """
@register("/chat")  # here
class Chat:
    pass
""",
    "a call": """
register("/chat")(Parent())  # here
""",
    "no namespace": """
@register  # here
class Chat(SocketIOConsumer):
    pass
""",
    "a route that is none": """
@register("/<nothing:pk>")  # here
class Chat(SocketIOConsumer):
    pass
""",
}


@pytest.fixture
def module(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "chat_of_this_test.py"
    sys.modules.pop("chat_of_this_test", None)


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


@pytest.mark.parametrize("wrong", WRONG)
def test_the_traceback_ends_in_the_projects_line(
    wrong: str, module: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module.write_text(HEAD + WRONG[wrong])
    monkeypatch.setattr(autoreload, "_error_files", [])
    monkeypatch.setattr(autoreload, "_exception", None)
    with pytest.raises((TypeError, ValueError, ImproperlyConfigured)) as caught:
        autoreload.check_errors(load)(module)
    last = traceback.extract_tb(caught.value.__traceback__)[-1]
    assert last.filename == str(module)
    lines = module.read_text().splitlines()
    here = next(number for number, line in enumerate(lines, 1) if line.endswith("# here"))
    if sys.version_info < (3, 11) and last.lineno != here:
        # Before 3.11 a decorator is called from the line of what it decorates.
        assert lines[here - 1].lstrip().startswith("@")
        here = next(n for n in range(here, len(lines)) if "@" not in lines[n]) + 1
    assert last.lineno == here
    assert last.line == lines[here - 1].strip()
    assert last.name == ("make" if "def make" in WRONG[wrong] else last.name)
    assert autoreload._error_files == [str(module)]  # type: ignore[attr-defined]
    assert module.resolve() in set(autoreload.iter_all_python_module_files())


def test_no_name_is_wrong_in_the_head(module: Path) -> None:
    module.write_text(HEAD)
    load(module)


def test_another_error_keeps_its_traceback(module: Path) -> None:
    module.write_text(
        HEAD
        + """
class Broken:
    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        raise TypeError("mine")  # here

class Chat(Broken, SocketIOConsumer):
    pass
"""
    )
    with pytest.raises(TypeError, match="mine") as caught:
        load(module)
    assert (traceback.extract_tb(caught.value.__traceback__)[-1].line or "").endswith("# here")


def test_runserver_watches_a_consumers_module_that_is_wrong(tmp_path: Path) -> None:
    """Django's own reloader sees the file of a class that could not be made."""
    make_project(tmp_path)
    consumers = tmp_path / "shop" / "consumers.py"
    consumers.write_text(HEAD + WRONG["a class"])
    code = """
import json, django
from django.utils import autoreload
try:
    autoreload.check_errors(django.setup)()
except TypeError as error:
    reloader = autoreload.StatReloader()
    watched = [str(path) for path in reloader.watched_files()]
    print(json.dumps([str(error), watched]))
"""
    message, watched = python(tmp_path, code)
    assert "Chat.join would hide SocketIOConsumer.join" in message
    assert str(consumers.resolve()) in watched


# What is registered


@pytest.mark.parametrize(
    "value",
    [object, int, len, None, "Chat", lambda: None, type("Chat", (), {}), ImproperlyConfigured],
)
@pytest.mark.parametrize("namespace", ["/chat", "/doc-<int:pk>", re.compile("/x")])
def test_only_a_consumer_class_is_registered(namespace: Any, value: Any) -> None:
    registry = Registry()
    with pytest.raises(TypeError, match="no subclass of SocketIOConsumer"):
        registry.register(namespace)(value)
    assert registry.consumers() == {}


def test_an_instance_is_not_registered() -> None:
    class Chat(SocketIOConsumer): ...

    with pytest.raises(TypeError, match=r"namespace '/chat'.*no subclass of SocketIOConsumer"):
        register("/chat")(Chat())  # type: ignore[type-var]


def test_the_base_class_may_be_registered() -> None:
    """As in Node, where a namespace without handlers is one, too."""
    registry = Registry()
    registry.register("/")(SocketIOConsumer)
    assert registry.find("/") == (SocketIOConsumer, {})


# The system check


class Library(SocketIOConsumer):
    """It comes from another module."""

    @event
    async def save(self) -> None: ...


@pytest.fixture
def app(module: Path, monkeypatch: pytest.MonkeyPatch) -> AppConfig:
    """An app whose `consumers` module has classes that serve something, and such that do not."""
    module.write_text(
        """
from django_socketio import SocketIOConsumer, event, register
from tests.server.test_names import Library

class Base(SocketIOConsumer):
    @event
    async def save(self): ...

@register("/child-of-this-test")
class Child(Base):
    pass

class Forgotten(Base):
    pass

class Anything(SocketIOConsumer):
    @event("*")
    async def anything(self, name): ...

Alias = Forgotten

class Silent(SocketIOConsumer):
    pass
"""
    )
    consumers = load(module)
    for value in vars(consumers).values():
        if isinstance(value, type) and value.__module__ == module.stem:
            value.__module__ = "shop_of_this_test.consumers"
    monkeypatch.setitem(sys.modules, "shop_of_this_test.consumers", consumers)
    shop = ModuleType("shop_of_this_test")
    shop.__path__ = [str(module.parent)]
    return AppConfig("shop_of_this_test", shop)


def test_a_consumer_that_serves_no_namespace(app: AppConfig) -> None:
    forgotten, anything = check_consumers([app])
    assert (forgotten.id, anything.id) == ("django_socketio.W004", "django_socketio.W004")
    assert forgotten.msg == "Forgotten has event handlers, but serves no namespace."
    assert forgotten.hint == 'Write @register("/...") above class Forgotten.'
    assert "Anything" in anything.msg


def test_the_installed_apps_have_no_such_consumer() -> None:
    assert check_consumers(None) == []
