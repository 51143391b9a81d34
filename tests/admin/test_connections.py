"""The page "Connections": its order, its choices, and the page of one connection."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from django_socketio import SocketIOConsumer, register
from django_socketio.server.registry import registry
from django_socketio.testing import SocketIOCommunicator
from tests.admin.test_pages import amake_user, logged_in, url
from tests.project.asgi import application

pytestmark = [pytest.mark.urls("tests.admin.urls")]

FIREFOX = b"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


@pytest.fixture
def namespaces() -> Iterator[None]:
    @register("/b")
    @register("/a")
    class Watched(SocketIOConsumer):
        async def connect(self, auth: Any) -> None:
            self.join("a <b>room</b>")

    yield
    registry.unregister("/a")
    registry.unregister("/b")


@pytest.mark.django_db(transaction=True)
async def test_sorting_and_choices(namespaces: None) -> None:
    client = await logged_in(await amake_user("watcher", "view_serverprocess"))
    alice, bob = await amake_user("Alice", staff=False), await amake_user("bob", staff=False)
    hers = SocketIOCommunicator(application, "/b", user=alice, headers=[(b"user-agent", FIREFOX)])
    his = SocketIOCommunicator(application, "/a", user=bob)
    assert await hers.connect()
    assert await his.connect()

    async def page(**query: str) -> str:
        return (await client.get(url("connection"), query)).content.decode()

    async def order(**query: str) -> list[str]:
        text = await page(**query)
        found = re.findall(rf"<code[^>]*>({hers.sid}|{his.sid})<", text)
        return ["hers" if sid == hers.sid else "his" for sid in found]

    assert await order() == await order(o="nonsense") == ["his", "hers"]
    for asked, expected in (
        ("since", ["hers", "his"]),
        ("-since", ["his", "hers"]),
        ("user", ["hers", "his"]),
        ("-user", ["his", "hers"]),
        ("namespace", ["his", "hers"]),
        ("agent", ["his", "hers"]),
        ("-agent", ["hers", "his"]),
    ):
        assert await order(o=asked) == expected, asked
    text = await page(o="-user", user="bob")
    assert 'aria-sort="descending"' in text
    # A click on a head turns the order round, and keeps the filters.
    assert 'href="?o=user&amp;user=bob"' in text
    assert '<input type="hidden" name="o" value="-user">' in text
    text = await page(namespace="/gone")
    for name in ("/a", "/b"):
        assert f"<option>{name}</option>" in text
    assert "<option selected>/gone</option>" in text
    assert '<option value="a &lt;b&gt;room&lt;/b&gt;">' in await page()
    await hers.disconnect()
    await his.disconnect()


@pytest.mark.django_db(transaction=True)
async def test_the_page_of_a_connection(namespaces: None) -> None:
    client = await logged_in(await amake_user("watcher", "view_serverprocess"))
    alice = await amake_user("alice", staff=False)
    hers = SocketIOCommunicator(application, "/b", user=alice, headers=[(b"user-agent", FIREFOX)])
    his = SocketIOCommunicator(application, "/a")
    assert await hers.connect()
    assert await his.connect()
    text = (await client.get(url("connection"), {"user": "alice"})).content.decode()
    link = re.search(r'href="(/admin/django_socketio/connection/[^"?]+)"', text.split("<tbody>")[1])
    assert link is not None
    response = await client.get(link[1])
    assert response.status_code == 200
    text = response.content.decode()
    for part in ("alice", "Firefox 128, Linux", FIREFOX.decode(), str(hers.sid), "/b"):
        assert part in text
    assert "a &lt;b&gt;room&lt;/b&gt;" in text
    assert str(his.sid) not in text
    assert not re.search(r"\sstyle=|\son\w+=", text.split('class="socketio"')[1])
    assert (await client.get(url("connection") + "nobody/here/")).status_code == 404
    await hers.disconnect()
    assert "has ended" in (await client.get(link[1])).content.decode()
    clerk = await logged_in(await amake_user("clerk"))
    assert (await clerk.get(link[1])).status_code == 403
    await his.disconnect()
