"""The admin's pages, with clients in the same process."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import AsyncClient, Client

from django_socketio import SocketIOConsumer, event, register
from django_socketio.admin_pages import charts, feed
from django_socketio.admin_pages.feed import NAMESPACE
from django_socketio.models import ServerProcess, TrafficSample
from django_socketio.server.registry import registry
from django_socketio.stats.gather import Gathered
from django_socketio.stats.minutes import current_minute
from django_socketio.stats.shapes import complete_process
from django_socketio.testing import SocketIOCommunicator
from tests.admin.test_recorder import SAMPLE, write
from tests.project.asgi import application

pytestmark = [pytest.mark.urls("tests.admin.urls")]

PAGES = ("serverprocess", "connection", "room", "trafficsample", "namespace")


def url(page: str) -> str:
    return f"/admin/django_socketio/{page}/"


@pytest.fixture
def watched() -> Iterator[type[SocketIOConsumer]]:
    @register("/watched")
    class Watched(SocketIOConsumer):
        async def connect(self, auth: Any) -> None:
            self.join("a <b>room</b>")

        @event
        async def echo(self, value: Any) -> Any:
            return value

    yield Watched
    registry.unregister("/watched")


def make_user(name: str, *permissions: str, staff: bool = True) -> User:
    user = User.objects.create_user(name, password="secret", is_staff=staff)
    user.user_permissions.set(
        Permission.objects.filter(
            codename__in=permissions, content_type__app_label="django_socketio"
        )
    )
    return User.objects.get(pk=user.pk)


amake_user = sync_to_async(make_user)


async def logged_in(user: User) -> AsyncClient:
    client = AsyncClient()
    await sync_to_async(client.force_login)(user)
    return client


@pytest.mark.django_db
@pytest.mark.parametrize("page", PAGES)
def test_only_staff_with_the_permission_sees_a_page(page: str) -> None:
    client = Client()
    assert client.get(url(page)).status_code == 302
    client.force_login(make_user("staff"))
    assert client.get(url(page)).status_code == 403
    assert "django_socketio" not in client.get("/admin/").content.decode()
    client.force_login(make_user("watcher", "view_serverprocess"))
    response = client.get(url(page))
    assert response.status_code == 200
    text = response.content.decode()
    # Nothing that a strict Content-Security-Policy forbids, nothing from another host.
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", _page(text))
    assert not re.search(r'(?:src|href)="(?:https?:)?//', text)
    assert 'aria-current="page"' in text
    assert url(page) in client.get("/admin/").content.decode()


def _page(text: str) -> str:
    """The part of an admin page that is ours, without the admin's own."""
    return text[text.index('class="socketio"') : text.index('id="footer"')]


@pytest.mark.django_db(transaction=True)
async def test_connections_and_rooms(watched: type[SocketIOConsumer]) -> None:
    client = await logged_in(await amake_user("watcher", "view_serverprocess"))
    alice = await amake_user("alice", staff=False)
    communicator = SocketIOCommunicator(
        application, "/watched", user=alice, headers=[(b"user-agent", b"<i>Browser</i>")]
    )
    assert await communicator.connect()
    assert await communicator.call("echo", "never shown") == "never shown"
    text = (await client.get(url("connection"))).content.decode()
    assert str(communicator.sid) in text
    assert "alice" in text
    assert "a &lt;b&gt;room&lt;/b&gt;" in text
    assert "<i>Browser" not in text
    assert "never shown" not in text
    assert 'name="action"' not in text  # no button without the permission
    for query, found in (
        ({"namespace": "/watched"}, True),
        ({"namespace": "/other"}, False),
        ({"user": "ali"}, True),
        ({"user": str(alice.pk)}, True),
        ({"user": "bob"}, False),
        ({"room": "a <b>room</b>"}, True),
        ({"transport": "polling"}, False),
        ({"q": "browser"}, True),
    ):
        text = (await client.get(url("connection"), query)).content.decode()
        assert (str(communicator.sid) in text) is found, query
    text = (await client.get(url("room"))).content.decode()
    assert "a &lt;b&gt;room&lt;/b&gt;" in text
    text = (await client.get(url("namespace"))).content.decode()
    assert "Watched" in text
    assert "echo" in text
    await communicator.disconnect()


@pytest.mark.django_db(transaction=True)
async def test_actions(watched: type[SocketIOConsumer]) -> None:
    staff = await amake_user(
        *("boss", "view_serverprocess", "disconnect_sockets", "change_rooms", "send_events")
    )
    client = await logged_in(staff)
    alice = await amake_user("alice", staff=False)
    one, two = (SocketIOCommunicator(application, "/watched", user=alice) for _ in range(2))
    assert await one.connect()
    assert await two.connect()
    target = f"{one.sid} {alice.pk} /watched"

    async def act(action: str, **data: Any) -> Any:
        return await client.post(url("connection"), {"action": action, "target": target, **data})

    assert (await act("join", room="vip")).status_code == 302
    text = (await client.get(url("connection"), {"room": "vip"})).content.decode()
    assert str(one.sid) in text
    assert str(two.sid) not in text
    await act("leave", room="vip", whole_user="1")
    text = (await client.get(url("connection"), {"room": "vip"})).content.decode()
    assert str(one.sid) not in text
    await act("emit", event="hello", args='["secret", 1]')
    assert await one.receive_event() == ("hello", ["secret", 1])
    assert await two.receive_nothing()
    await act("emit", event="hello", args='["secret", 2]', whole_user="1")
    assert await one.receive_event() == ("hello", ["secret", 2])
    assert await two.receive_event() == ("hello", ["secret", 2])
    for wrong in ({"event": "connect"}, {"event": "x", "args": "{"}, {"event": "x", "args": "{}"}):
        await act("emit", **wrong)
    await act("join", room="")
    assert await one.receive_nothing()
    response = await act("disconnect", whole_user="1")
    asked = response.content.decode()
    assert "<strong>alice</strong>" in asked
    assert "Every connection of these users ends" in asked
    assert await one.receive_nothing()
    await act("disconnect", whole_user="1", confirmed="1")
    for communicator in (one, two):
        with pytest.raises(Exception, match=r"ended|closed"):
            await communicator.receive_event()
    entries = [entry async for entry in LogEntry.objects.order_by("pk")]
    assert [entry.change_message for entry in entries] == [
        "Joined room “vip”.",
        "Left room “vip”.",
        "Sent event “hello”.",
        "Sent event “hello”.",
        "Disconnected.",
    ]
    her_socket = f"socket {one.sid} of user alice in /watched"
    assert [entry.object_repr for entry in entries] == [
        f"Room “vip” joined by {her_socket}",
        "Room “vip” left by every socket of user alice",
        f"Event “hello” sent to {her_socket}",
        "Event “hello” sent to every socket of user alice",
        "Disconnected every socket of user alice",
    ]
    assert all(entry.user_id == staff.pk for entry in entries)
    assert "secret" not in "".join(entry.change_message + entry.object_repr for entry in entries)
    front = (await client.get("/admin/")).content.decode()
    assert "Disconnected every socket of user alice" in front
    await one.disconnect()
    await two.disconnect()


@pytest.mark.django_db(transaction=True)
async def test_disconnecting_asks_first_and_says_whom(watched: type[SocketIOConsumer]) -> None:
    client = await logged_in(await amake_user("boss", "view_serverprocess", "disconnect_sockets"))
    alice = await amake_user("alice", staff=False)
    firefox = b"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
    hers = SocketIOCommunicator(
        application, "/watched", user=alice, headers=[(b"user-agent", firefox)]
    )
    other = SocketIOCommunicator(application, "/watched")
    assert await hers.connect()
    assert await other.connect()
    # A form that lies about whose socket it is is not believed, neither here nor by the log.
    data = {"action": "disconnect", "target": f"{hers.sid} 999 /watched"}
    text = (await client.post(url("connection"), data)).content.decode()
    for part in ("Are you sure?", "alice", str(hers.sid), "Firefox 128, Linux"):
        assert part in text
    assert str(other.sid) not in text
    assert "999" not in _page(text)
    assert not await LogEntry.objects.aexists()
    assert await hers.receive_nothing()
    # All that match the filters, whatever is selected.
    query = url("connection") + "?namespace=/watched"
    data = {"action": "disconnect", "across": "1"}
    text = (await client.post(query, data)).content.decode()
    assert str(hers.sid) in text
    assert str(other.sid) in text
    assert (await client.post(query + "&user=bob", data)).status_code == 302
    assert "No socket was selected." in (await client.get(query)).content.decode()
    data = {"action": "disconnect", "confirmed": "1", "target": f"{hers.sid} 999 /watched"}
    assert (await client.post(query, data)).status_code == 302
    with pytest.raises(Exception, match=r"ended|closed"):
        await hers.receive_event()
    assert await other.receive_nothing()
    entry = await LogEntry.objects.aget()
    assert str(entry) == (
        f"Changed “Disconnected socket {hers.sid} of user alice in /watched” — Disconnected."
    )
    await hers.disconnect()
    await other.disconnect()


@pytest.mark.django_db
@pytest.mark.parametrize("action", ["disconnect", "join", "leave", "emit", "", "unknown"])
def test_without_the_permission_an_action_is_forbidden(action: str) -> None:
    client = Client()
    others = {"disconnect_sockets", "change_rooms", "send_events"} - {
        {"disconnect": "disconnect_sockets", "emit": "send_events"}.get(action, "change_rooms")
    }
    client.force_login(make_user("staff", "view_serverprocess", *others))
    data = {"action": action, "room": "r", "event": "e", "target": "sid 1 /watched"}
    assert client.post(url("connection"), data).status_code == 403
    assert client.post(url("serverprocess"), data).status_code == 403
    assert not LogEntry.objects.exists()


@pytest.mark.django_db(transaction=True)
async def test_the_feed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "INTERVAL", 0.05)
    for user in (
        None,
        await amake_user("nobody", "view_serverprocess", staff=False),
        await amake_user("staff"),
    ):
        communicator = SocketIOCommunicator(application, NAMESPACE, user=user)
        connected, details = await communicator.connect()
        assert not connected
        assert details["message"] in ("Login required", "Permission denied")
        await communicator.disconnect()
    watcher = await amake_user("watcher", "view_serverprocess")
    communicator = SocketIOCommunicator(application, NAMESPACE, user=watcher)
    assert await communicator.connect()
    name, (html,) = await communicator.receive_event(timeout=10)
    assert name == "live"
    assert NAMESPACE in html
    assert "<script" not in html
    await communicator.disconnect()


@pytest.mark.django_db
def test_a_stale_process_is_marked_and_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client()
    client.force_login(make_user("watcher", "view_serverprocess"))
    write("lives")
    write("died")
    counted = {**ServerProcess.objects.get(node="died").counters, "sockets": {"total": 77}}
    ServerProcess.objects.filter(node="died").update(counters=counted)
    live = complete_process(
        {
            **ServerProcess.objects.get(node="lives").as_report(),
            "counters": {"sockets": {"total": 5}},
        }
    )

    def gather(*args: Any) -> Gathered[Any]:
        return Gathered({"lives": live}, set(), complete=True)

    monkeypatch.setattr("django_socketio.admin.gather", gather)
    response = client.get(url("serverprocess"))
    assert response.context["total"]["sockets"]["total"] == 5
    states = {row["node"]: row["state"] for row in response.context["processes"]}
    assert states == {"lives": "running", "died": "stale"}
    assert "socketio-stale" in response.content.decode()
    monkeypatch.setattr(
        "django_socketio.admin.gather",
        lambda *args: Gathered(
            {"lives": {**live, "total": 0, "rows": [], "namespaces": {}, "rooms": {}}},
            {"died"},
            True,
        ),
    )
    for page in ("connection", "room"):
        assert "did not answer in time" in client.get(url(page)).content.decode()


@pytest.mark.django_db
def test_history() -> None:
    client = Client()
    client.force_login(make_user("watcher", "view_serverprocess"))
    text = client.get(url("trafficsample")).content.decode()
    assert "Nothing is recorded" in text
    for node in ("one", "two"):
        for ago in (1, 2, 200, 3000):
            TrafficSample.objects.create(node=node, **{**SAMPLE, "minute": current_minute() - ago})
    for chosen, rows in (("hour", 2), ("day", 2), ("week", 3), ("nonsense", 2)):
        response = client.get(url("trafficsample"), {"range": chosen})
        assert response.content.decode().count('role="img"') == 6
        assert len(response.context["rows"]) in (rows, rows + 1)
        assert response.context["rows"][-1]["sockets"] in (6, 12)


def test_a_chart_has_nothing_inline() -> None:
    svg = charts.draw("<Title>", ["1", "2", "3"], [("<a>", [1, None, 20_000])])
    assert "<style" not in svg
    assert "style=" not in svg
    assert "<script" not in svg
    assert 'aria-label="&lt;Title&gt;. &lt;a&gt;: now 20 k, peak 20 k"' in svg


def test_a_chart_has_few_labels_however_many_are_the_same() -> None:
    svg = charts.draw("Week", ["Mon", "Mon", "Mon", "Tue", "Tue"] * 10, [("a", list(range(50)))])
    shown = re.findall(r">(Mon|Tue)</text>", svg)
    assert len(shown) == charts.LABELS


@pytest.mark.django_db
def test_without_pygal_the_page_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pygal", None)
    client = Client()
    client.force_login(make_user("watcher", "view_serverprocess"))
    TrafficSample.objects.create(node="one", **{**SAMPLE, "minute": current_minute() - 1})
    text = client.get(url("trafficsample")).content.decode()
    assert "channels-socketio[admin]" in text
    assert 'role="img"' not in text


@pytest.mark.django_db
def test_where_no_process_can_be_asked_the_database_tells(settings: Any) -> None:
    client = Client()
    client.force_login(make_user("boss", "view_serverprocess", "disconnect_sockets"))
    write("elsewhere")
    response = client.get(url("serverprocess"))
    assert [row["state"] for row in response.context["processes"]] == ["running"]
    for page in PAGES[1:]:
        assert client.get(url(page)).status_code == 200
    assert "can be asked for" in client.get(url("connection")).content.decode()
    data = {"action": "disconnect", "target": "sid 1 /watched"}
    assert "did not answer" in client.post(url("connection"), data).content.decode()
    data["confirmed"] = "1"
    assert client.post(url("connection"), data).status_code == 302
