"""The app's configuration: what happens when Django starts."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig, apps
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext_lazy as _

from .logs import logger


class DjangoSocketIOConfig(AppConfig):
    """Imports every installed app's ``consumers`` module, as the admin does with ``admin``."""

    name = "django_socketio"
    label = "django_socketio"
    verbose_name = _("Socket.IO")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import checks  # noqa: F401

        autodiscover_modules("consumers")
        if apps.is_installed("django.contrib.auth"):
            from django.contrib.auth.signals import user_logged_out

            user_logged_out.connect(_close_sockets, dispatch_uid="django_socketio.logout")


def _close_sockets(*, request: Any, **kwargs: Any) -> None:
    """Disconnect the sockets of a session that logs out, for they act as its user."""
    from .addressing.delivery import Action
    from .addressing.rooms import SessionRoom
    from .addressing.target import Target
    from .server.hubs import on_all_hubs

    key = getattr(getattr(request, "session", None), "session_key", None)
    if key:
        target = Target("", (SessionRoom(key),))
        try:
            on_all_hubs(lambda hub: hub.act(target, Action.DISCONNECT, []))
        except ImproperlyConfigured:
            pass  # this process has no sockets and reaches no other process
        except ConnectionError as error:
            logger.error("the sockets of a session that has logged out may stay: %s", error)
