"""The app's own namespaces. Each is there only where its setting or the admin is."""

from __future__ import annotations

from django.apps import apps

if apps.is_installed("django.contrib.admin"):
    from .admin_pages.feed import NAMESPACE, LiveFeed
    from .server.registry import register

    register(NAMESPACE)(LiveFeed)
