from __future__ import annotations

import json
from typing import Any

from django.contrib.auth import get_user_model, login, logout
from django.db import transaction
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from django_socketio import io
from tests.project import journal


def state(request: HttpRequest) -> JsonResponse:
    """Queries are read first: the answer itself makes none."""
    return JsonResponse(
        {"queries": journal.queries(), "entries": journal.entries(request.GET.get("tag", ""))}
    )


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
def log_out(request: HttpRequest) -> JsonResponse:
    logout(request)
    return JsonResponse({})
