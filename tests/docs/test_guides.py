"""What the guides' tables say of the server, seen in a server."""

from __future__ import annotations

import configparser
import logging
import re
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.core.exceptions import PermissionDenied
from django.test import RequestFactory
from rest_framework.test import APIRequestFactory, force_authenticate

from django_socketio import SocketIOConsumer, event, metrics, register
from django_socketio.addressing.outcomes import as_result
from django_socketio.server.registry import registry
from django_socketio.testing import SocketIOCommunicator
from tests.docs.pages import ROOT, blocks_of, run_page
from tests.docs.test_code import _registry, names  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db(transaction=True)

NEVER = "never"
ERRORS = "docs/guides/acknowledgements-and-errors.md"


@pytest.mark.parametrize(
    ("name", "args", "answer", "levels"),
    [
        ("nothing", [], None, []),
        ("price", [7], {"article": 7, "price": "9.90"}, []),
        ("pair", [], ("first", "second"), []),
        ("several", [], ["first", "second"], []),
        ("early", [], "accepted", []),
        ("sold_out", [], NEVER, []),
        ("broken", [], NEVER, ["ERROR"]),
        ("unsendable", [], NEVER, ["ERROR"]),
        ("price", [], NEVER, ["WARNING"]),
        ("unknown", [], NEVER, []),
    ],
)
async def test_what_the_client_gets_for_an_event(
    name: str,
    args: list[Any],
    answer: Any,
    levels: list[str],
    names: dict[str, Any],  # noqa: F811
    caplog: pytest.LogCaptureFixture,
) -> None:
    shop = (await run_page(ERRORS, names))["ShopConsumer"]

    class Consumer(shop):  # type: ignore[misc, valid-type]
        @event
        async def early(self) -> str:
            await self.acknowledge("accepted")
            return "dropped"

        @event
        async def barrier(self) -> None:
            pass

    register("/test")(Consumer)
    client = SocketIOCommunicator(names["application"], "/test")
    assert await client.connect(timeout=30)
    # Not call(), which after its timeout ends the connection.
    await client._send(client._encoder.event("/test", name, args, 99))
    await client.call("barrier", timeout=30)  # the connection stays
    assert (as_result(client._acks[99]) if 99 in client._acks else NEVER) == answer
    logged = [one for one in caplog.records if one.name == "django_socketio"]
    assert [one.levelname for one in logged if one.levelno > logging.INFO] == levels
    await client.disconnect(timeout=30)


def refuse(error: Exception) -> Any:
    async def connect(self: Any, auth: Any) -> None:
        raise error

    return {"connect": connect}


async def close(self: Any, auth: Any) -> None:
    self.close()


async def refuse_in_vain(self: Any, auth: Any) -> bool:
    return False


@pytest.mark.parametrize(
    ("members", "message"),
    [
        (refuse(PermissionDenied("Not here")), "Not here"),
        (refuse(PermissionDenied()), "Permission denied"),
        (refuse(RuntimeError("secret")), "Internal server error"),
        ({"connect": refuse_in_vain}, "Internal server error"),
        ({"connect": close}, "Connection refused"),
        ({"login_required": True}, "Login required"),
        ({"permission_required": "chat.view_message"}, "Permission denied"),
        (None, "Invalid namespace"),
        ({}, "auth too large"),
    ],
)
async def test_why_a_client_is_refused(
    members: dict[str, Any] | None,
    message: str,
    names: dict[str, Any],  # noqa: F811
) -> None:
    if members is not None:
        register("/test")(type("Consumer", (SocketIOConsumer,), members))
    auth = {"a": "x" * 20_000} if message == "auth too large" else {}
    client = SocketIOCommunicator(names["application"], "/test", auth=auth)
    connected, details = await client.connect(timeout=30)
    assert (connected, details) == (False, {"message": message})
    assert f'"{message}"' in (ROOT / ERRORS).read_text()
    await client.disconnect(timeout=30)


async def test_a_refusal_has_data(names: dict[str, Any]) -> None:  # noqa: F811
    await run_page(ERRORS, names)
    client = SocketIOCommunicator(names["application"], "/shop", auth={"customer": "banned"})
    _, details = await client.connect(timeout=30)
    assert details == {"message": "You are banned", "data": {"until": "2030-01-01"}}
    await client.disconnect(timeout=30)


async def test_a_token_says_who_it_is(names: dict[str, Any]) -> None:  # noqa: F811
    await run_page("docs/guides/authentication.md", names)
    for token, seen in [
        (names["make_token"](names["alice"]), "alice"),
        (names["make_token"](names["alice"]) + "x", {"code": "token"}),
        (None, "Login required"),
    ]:
        client = SocketIOCommunicator(names["application"], "/api", auth={"token": token})
        connected, details = await client.connect(timeout=30)
        if connected:
            assert await client.call("who_am_i", timeout=30) == seen
        else:
            assert seen in (details.get("data"), details["message"])
        await client.disconnect(timeout=30)


def test_every_metric_stands_in_the_guide() -> None:
    answer = metrics.view(RequestFactory().get("/")).content.decode()
    given = set(re.findall(r"^# TYPE (\w+)", answer, re.MULTILINE))
    guide = (ROOT / "docs" / "guides" / "monitoring.md").read_text()
    table = set(re.findall(r"`(socketio_\w+)`", guide)) - {"socketio_stats"}
    assert len(given) > 10
    assert table == given


async def test_the_example_of_the_readme(names: dict[str, Any]) -> None:  # noqa: F811
    names = await run_page("README.md", names)
    alice, bob = (
        SocketIOCommunicator(names["application"], "/chat", user=names[name])
        for name in ("alice", "bob")
    )
    assert await alice.connect(timeout=30)
    assert await bob.connect(timeout=30)
    assert await alice.receive_event(timeout=30) == ("joined", ["bob"])
    assert isinstance(await bob.call("save", "Hello!", timeout=30), int)
    for client in (alice, bob):
        assert await client.receive_event(timeout=30) == ("message", ["bob", "Hello!"])
    # What is sent from elsewhere: the last block with io.
    [block] = [one.text for one in blocks_of("README.md") if "io.everywhere" in one.text]
    await sync_to_async(exec)(block, names)
    assert await bob.receive_event(timeout=30) == ("message", ["system", "Maintenance at noon"])
    assert await alice.receive_event(timeout=30) == ("message", ["system", "Maintenance at noon"])
    assert await alice.receive_event(timeout=30) == ("notification", [3])
    for client in (alice, bob):
        await client.disconnect(timeout=30)


def test_links_of_the_readme_work_on_pypi() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    source = re.search(r"^Source = (.+)$", setup["metadata"]["project_urls"], re.MULTILINE)
    assert source
    links = re.findall(r"\]\((.+?)\)", (ROOT / "README.md").read_text())
    assert len(links) > 20
    for link in links:
        assert link.startswith("https://"), link
        if link.startswith(source[1]):
            path = re.sub(r"^/(blob|raw)/main/", "", link.removeprefix(source[1]))
            assert (ROOT / path).is_file(), link


async def test_what_a_viewset_sends(names: dict[str, Any]) -> None:  # noqa: F811
    names = await run_page("docs/guides/drf.md", names)

    class Member(SocketIOConsumer):
        async def connect(self, auth: Any) -> None:
            self.join("room-lobby")

    registry._fixed.pop("/chat")
    register("/chat")(Member)
    client = SocketIOCommunicator(names["application"], "/chat")
    assert await client.connect(timeout=30)
    posts = names["MessageViewSet"].as_view({"post": "create"})
    others = names["QuietViewSet"].as_view({"patch": "partial_update", "delete": "destroy"})
    requests = APIRequestFactory()

    async def ask(view: Any, request: Any, **kwargs: Any) -> Any:
        force_authenticate(request, names["alice"])
        return await sync_to_async(view)(request, **kwargs)

    posted = await ask(posts, requests.post("/", {"room": "lobby", "text": "hello"}))
    assert posted.status_code == 201
    assert await client.receive_event(timeout=30) == ("message", [posted.data])
    mine = {"HTTP_X_SOCKET_ID": client.sid}
    pk = posted.data["id"]
    await ask(others, requests.patch("/", {"text": "mine"}, **mine), pk=pk)
    await ask(others, requests.patch("/", {"text": "changed"}), pk=pk)
    name, [data] = await client.receive_event(timeout=30)
    assert (name, data["text"]) == ("changed", "changed")
    await ask(others, requests.delete("/"), pk=pk)
    assert await client.receive_event(timeout=30) == ("deleted", [pk])
    await client.disconnect(timeout=30)


@pytest.mark.parametrize(
    ("host", "admitted"), [("localhost:5173", True), ("localhost:8000", False)]
)
async def test_a_page_of_vite(
    host: str,
    admitted: bool,
    names: dict[str, Any],  # noqa: F811
) -> None:
    headers = [(b"host", host.encode()), (b"origin", b"http://localhost:5173")]
    client = SocketIOCommunicator(names["application"], headers=headers)
    connected, _ = await client.connect(timeout=30)
    assert connected is admitted
    await client.disconnect(timeout=30)
