"""The app's own namespaces. Each but "/" is there only where the admin, or its setting, is."""

from __future__ import annotations

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured

from .conf import get_settings
from .server.consumers import SocketIOConsumer
from .server.registry import register, registry

# As in Node, a project that only pushes needs no class for "/".
registry.default = SocketIOConsumer

if apps.is_installed("django.contrib.admin"):
    from .admin_pages.feed import NAMESPACE, LiveFeed

    register(NAMESPACE)(LiveFeed)

try:
    _admin_ui_wanted = bool(get_settings().admin_ui)
except ImproperlyConfigured:  # the system check says what is wrong, and how to mend it
    _admin_ui_wanted = False

if _admin_ui_wanted:
    from .admin_pages.official import AdminUI, options

    register(options()["NAMESPACE"])(AdminUI)
