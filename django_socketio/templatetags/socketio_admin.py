"""Filters that write numbers and times on the admin's pages."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import template
from django.utils.formats import number_format
from django.utils.timesince import timesince
from django.utils.timezone import now
from django.utils.translation import ngettext

from django_socketio.admin_pages.agents import short_agent

register = template.Library()


@register.filter
def grouped(value: Any) -> str:
    """Return a number with the language's separators of thousands, 0 for None or ""."""
    return str(number_format(value or 0, force_grouping=True))


@register.filter
def agent(value: str) -> str:
    """Return a user agent in short."""
    return short_agent(value)


@register.filter
def since(value: datetime) -> str:
    """Return how long ago ``value`` was, in the largest unit; Django's own knows no seconds."""
    seconds = max(0, int((now() - value).total_seconds()))
    if seconds < 60:
        return ngettext("%d second", "%d seconds", seconds) % seconds
    return timesince(value, depth=1)
