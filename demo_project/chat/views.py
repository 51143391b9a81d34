"""The pages. All but one are as in any Django project; `announce` shows `io` in a plain view."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LoginView
from django.contrib.staticfiles import finders
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from django_socketio import io

from . import history, images
from .demo import USERS
from .forms import MAX_TEXT, AnnouncementForm, RoomForm, SignUpForm
from .models import Image, Message, Room


class LogInView(LoginView):
    template_name = "chat/login.html"
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        # The passwords are public knowledge: only a project in development shows them.
        return super().get_context_data(demo_users=USERS if settings.DEBUG else [], **kwargs)


@require_http_methods(["GET", "HEAD", "POST"])
def sign_up(request: HttpRequest) -> HttpResponse:
    form = SignUpForm(request.POST or None)
    if form.is_valid():
        login(request, form.save())
        return redirect("home")
    return render(request, "chat/signup.html", {"form": form})


@require_safe
def me(request: HttpRequest) -> JsonResponse:
    """Who this browser is logged in as. A page that was disconnected asks before it says why."""
    user = request.user
    name = user.get_username() if user.is_authenticated else None
    return JsonResponse({"id": user.pk, "name": name}, headers={"Cache-Control": "no-store"})


@require_safe
@login_required
def home(request: HttpRequest) -> HttpResponse:
    first = Room.objects.first()
    return redirect(first or "new-room")


@require_safe
@login_required
def room(request: HttpRequest, slug: str) -> HttpResponse:
    room = get_object_or_404(Room, slug=slug)
    if not finders.find("django_socketio/client/socket.io.min.js"):
        return render(request, "chat/client_missing.html", status=503)
    page = {
        "me": {"id": request.user.pk, "name": request.user.get_username()},
        "room": room.as_json(),
        "history": history.latest(room),
        "urls": {"home": reverse("home"), "me": reverse("me")},
        "limits": {"text": MAX_TEXT, "image": images.MAX_BYTES},
    }
    context = {"room": room, "rooms": Room.objects.all(), "page": page}
    return render(request, "chat/room.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def new_room(request: HttpRequest) -> HttpResponse:
    form = RoomForm(request.POST or None)
    if form.is_valid():
        form.instance.created_by = request.user
        return redirect(form.save())
    return render(request, "chat/new_room.html", {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def announce(request: HttpRequest, slug: str) -> HttpResponse:
    """Post into a room from a plain view: a form for the staff, and good for curl too.

    A browser is sent back to the room. Other clients get JSON; they log in as a browser does,
    with the cookie jar that the login page filled:

        token() { awk '$6 == "csrftoken" { print $7 }' jar; }
        curl -s -o /dev/null -c jar http://127.0.0.1:8000/login/
        curl -s -b jar -c jar -H "X-CSRFToken: $(token)" \
            -d "username=admin&password=demo" http://127.0.0.1:8000/login/
        curl -s -b jar -H "X-CSRFToken: $(token)" \
            -d "text=Tea is ready." http://127.0.0.1:8000/rooms/lobby/announce/
    """
    if not request.user.is_staff:
        raise PermissionDenied("Announcements are made by the staff.")
    room = get_object_or_404(Room, slug=slug)
    is_browser = "text/html" in request.headers.get("Accept", "")
    form = AnnouncementForm(request.POST or None)
    if form.is_valid():
        with transaction.atomic():
            message = Message.objects.create(
                room=room, author=request.user, text=form.cleaned_data["text"], announcement=True
            )
            io.of("/chat").on_commit.to(room.channel).emit("message", message.as_json())
        return redirect(room) if is_browser else JsonResponse(message.as_json(), status=201)
    if request.method == "POST" and not is_browser:
        return JsonResponse({"errors": form.errors}, status=400)
    return render(request, "chat/announce.html", {"form": form, "room": room})


@require_safe
@login_required
def image(request: HttpRequest, pk: str) -> HttpResponse:
    """Show an uploaded image. It came from a user: the browser must not take it for a page."""
    image = get_object_or_404(Image, pk=pk)
    return HttpResponse(
        bytes(image.content),
        content_type=image.content_type,
        headers={
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Content-Disposition": "inline",
            "Cache-Control": "private, max-age=31536000, immutable",
        },
    )
