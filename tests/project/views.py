from __future__ import annotations

import asyncio
import functools
import gc
import inspect
import json
import os
import resource
from collections.abc import AsyncIterator, Callable
from typing import Any

from django.contrib.auth import get_user_model, login, logout, update_session_auth_hash
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template import Context, Template
from django.utils.crypto import get_random_string
from django.views.decorators.csrf import csrf_exempt

from django_socketio import io
from django_socketio.cluster.cluster import Cluster
from django_socketio.exceptions import AckTimeout
from django_socketio.server.hubs import current_hub
from django_socketio.server.operators import RemoteSocket
from django_socketio.server.registry import registry
from django_socketio.stats import counters
from tests.project import journal

COUNTERS = ("violations", "refusals", "limits", "events_refused", "handler_errors")


PAGE = """{% load socketio %}<!doctype html><title>Client</title><body>
{% if bundle == "served" %}<script src="/socket.io/socket.io.js" nonce="{{ nonce }}"></script>
{% elif bundle == "refused" %}{% socketio_client %}
{% else %}{% socketio_client bundle nonce=nonce %}{% endif %}
<script nonce="{{ nonce }}"{% if bundle == "esm" %} type="module">
import { io } from "socket.io-client";{% else %}>{% endif %}
const transports = ["websocket"];
if (typeof io === "undefined") document.body.dataset.state = "missing";
else if ("{{ bundle }}" === "msgpack") document.body.dataset.state = "loaded";
else io({ transports }).on("connect", () => (document.body.dataset.state = "connected"));
</script>"""
POLICY = "default-src 'none'; script-src 'nonce-{}'; connect-src 'self'; base-uri 'none'"


def page(request: HttpRequest) -> HttpResponse:
    """A page that loads the client under a strict policy."""
    nonce = get_random_string(22)
    context = Context({"bundle": request.GET["bundle"], "nonce": nonce})
    policy = {"Content-Security-Policy": POLICY.format(nonce)}
    return HttpResponse(Template(PAGE).render(context), headers=policy)


def state(request: HttpRequest) -> JsonResponse:
    """Queries are read first: the answer itself makes none."""
    return JsonResponse(
        {"queries": journal.queries(), "entries": journal.entries(request.GET.get("tag", ""))}
    )


async def log(request: HttpRequest) -> JsonResponse:
    """The same entries as lists, on the loop: what came to it before this is in the answer."""
    entries = journal.entries(request.GET.get("tag", ""))
    return JsonResponse([list(entry.values()) for entry in entries], safe=False)


async def held(request: HttpRequest) -> JsonResponse:
    """How much the server holds, what it has counted, and which sessions poll or post."""
    hub = current_hub()
    clients = list(hub.clients.values())
    return JsonResponse(
        {
            "held": {
                "clients": len(clients),
                "pending": hub.clients.pending,
                "namespaces": len(hub.local.namespaces),
                # As many as the sessions need; the loop's own list is out of reach.
                "timers": sum(len(slot) for slot in hub.clients.wheel._slots.values()),
                "hub_tasks": len(hub.runtime.tasks),
                "tasks": len(asyncio.all_tasks()),
                "buffered": sum(client.session.buffered for client in clients),
                "queued": sum(client.backlog.size for client in clients if client.backlog),
                "pending_acks": sum(client.pending_acks for client in clients),
            },
            "counted": {name: dict(getattr(counters, name)) for name in COUNTERS},
            "polled": [
                client.session.sid
                for client in clients
                if getattr(client.transport, "poll", None) is not None
            ],
            "posting": [
                client.session.sid for client in clients if getattr(client.transport, "post", None)
            ],
        }
    )


async def tags(request: HttpRequest) -> JsonResponse:
    """The sockets to which this happened first of all."""
    return JsonResponse(journal.tags(request.GET["what"]), safe=False)


async def release(request: HttpRequest) -> JsonResponse:
    """Let everyone go on who waits at the gate of this name."""
    journal.gate(request.GET["gate"]).set()
    return JsonResponse({})


async def collect(request: HttpRequest) -> JsonResponse:
    """Free what objects keep by referring to each other; the memory that is left, in bytes."""
    gc.collect()
    return JsonResponse({"memory": _memory()})


def _memory() -> int:
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()


@csrf_exempt
def emit(request: HttpRequest) -> JsonResponse:
    """Emit from a plain view, on a worker thread, and count who is in the room."""
    asked: dict[str, Any] = json.loads(request.body)
    target = io.of(asked["namespace"]).to(asked["room"])
    if asked.get("on_commit"):
        with transaction.atomic():
            target.on_commit.emit(asked["event"], *asked["args"])
    else:
        target.emit(asked["event"], *asked["args"])
    return JsonResponse({"sids": sorted(socket.sid for socket in target.fetch_sockets())})


@csrf_exempt
def log_in(request: HttpRequest) -> JsonResponse:
    user, _ = get_user_model().objects.get_or_create(username=json.loads(request.body)["username"])
    login(request, user)
    return JsonResponse({"id": user.pk})


@csrf_exempt
def change_password(request: HttpRequest) -> JsonResponse:
    """Change it as Django's own view does, which keeps the browser logged in."""
    user = get_user_model().objects.get(pk=request.user.pk)
    user.set_password("another")
    user.save()
    update_session_auth_hash(request, user)
    return JsonResponse({})


@csrf_exempt
def log_out(request: HttpRequest) -> JsonResponse:
    logout(request)
    return JsonResponse({})


async def counts(request: HttpRequest) -> JsonResponse:
    """What this process has counted on the channel layer, whom it knows and what it holds."""
    hub = current_hub()
    others = hub.others
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return JsonResponse(
        {
            "pid": os.getpid(),
            "node": hub.node,
            "peers": sorted(others.peers.nodes()) if isinstance(others, Cluster) else [],
            "up": bool(others.layer_up),
            "layer": dict(counters.layer),
            "clients": len(hub.clients),
            "tunnels": len(others.tunnels),
            "tasks": len(asyncio.all_tasks()),
            "cpu": usage.ru_utime + usage.ru_stime,
            "memory": _memory(),
        }
    )


def _argument(value: Any) -> Any:
    """What JSON cannot hold: {"bytes": hexadecimal digits}, {"consumer": name} for that class, and
    {"user": name} for that user.

    Only a worker thread can look users up.
    """
    if isinstance(value, dict):
        if value.keys() == {"user"}:
            return get_user_model().objects.get(username=value["user"])
        if value.keys() == {"consumer"}:
            named = {consumer.__name__: consumer for consumer in registry.consumers()}
            return named[value["consumer"]]
        if value.keys() == {"bytes"}:
            return bytes.fromhex(value["bytes"])
        return {key: _argument(item) for key, item in value.items()}
    return value


def _steps(steps: list[list[Any]]) -> Callable[[], Any]:
    operator: Any = io
    for name, *args in steps[:-1]:
        found = getattr(operator, name)
        operator = found(*map(_argument, args)) if callable(found) else found
    name, *args = steps[-1]
    return functools.partial(getattr(operator, name), *map(_argument, args))


class PlainEncoder(DjangoJSONEncoder):
    """Bytes as {"bytes": hexadecimal digits}."""

    def default(self, o: Any) -> Any:
        return {"bytes": o.hex()} if isinstance(o, bytes) else super().default(o)


def _plain(socket: RemoteSocket) -> dict[str, Any]:
    return {
        "sid": socket.sid,
        "namespace": socket.namespace.name,
        "rooms": list(socket.rooms),
        "data": socket.data,
        "handshake": socket.handshake.as_dict(),
        "user_id": socket.user_id,
        "transport": socket.transport,
    }


def _result(error: Exception | None, result: Any = None) -> JsonResponse:
    if isinstance(error, AckTimeout):
        result = {"late": error.missing, "answers": error.answers}
    elif error is not None:
        result = {"error": f"{type(error).__name__}: {error}"}
    elif isinstance(result, set):
        result = sorted(result)
    elif isinstance(result, list):
        result = [_plain(item) if isinstance(item, RemoteSocket) else item for item in result]
    return JsonResponse({"result": result}, encoder=PlainEncoder)


async def _collect(answers: AsyncIterator[Any]) -> list[Any]:
    """Each item, and at the end how many are missing, where some are."""
    found = []
    try:
        async for item in answers:
            found.append(item)  # noqa: PERF401 - what comes before the error counts
    except AckTimeout as error:
        found.append(error.missing)
    return found


@csrf_exempt
async def use_io(request: HttpRequest) -> JsonResponse:
    """Chain on `io` what the test asks for, [name, *args] each, and await the last step."""
    call = _steps(json.loads(request.body)["steps"])
    try:
        result = call()
        if inspect.isasyncgen(result):
            result = _collect(result)
        return _result(None, await result if inspect.isawaitable(result) else result)
    except Exception as error:
        return _result(error)


@csrf_exempt
async def use_io_at_once(request: HttpRequest) -> JsonResponse:
    """Several such chains in one turn of the loop; what only sends need not be awaited."""
    for steps in json.loads(request.body)["chains"]:
        _steps(steps)()
    return JsonResponse({})


@csrf_exempt
def use_io_in_a_thread(request: HttpRequest) -> JsonResponse:
    """The same on a worker thread, where the last step is called and may block."""
    call = _steps(json.loads(request.body)["steps"])
    try:
        result = call()
        return _result(None, None if inspect.isawaitable(result) else result)
    except Exception as error:
        return _result(error)
