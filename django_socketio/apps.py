"""The app's configuration: what happens when Django starts."""

from __future__ import annotations

from django.apps import AppConfig, apps
from django.conf import settings
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext_lazy as _


class DjangoSocketIOConfig(AppConfig):
    """Imports every installed app's ``consumers`` module, as the admin does with ``admin``."""

    name = "django_socketio"
    label = "django_socketio"
    verbose_name = _("Socket.IO")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import checks  # noqa: F401

        autodiscover_modules("consumers")
        if settings.DEBUG:
            from .server.misdirected import watch_for_misdirected

            watch_for_misdirected()
        if apps.is_installed("django.contrib.auth"):
            from django.contrib.auth.signals import user_logged_in, user_logged_out

            from .server.logouts import close_sockets, note_login

            user_logged_in.connect(note_login, dispatch_uid="django_socketio.login")
            user_logged_out.connect(close_sockets, dispatch_uid="django_socketio.logout")
