"""Filters of the admin's pages: how numbers and times are written there."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import template
from django.utils.formats import number_format
from django.utils.timesince import timesince
from django.utils.timezone import now
from django.utils.translation import ngettext

register = template.Library()


@register.filter
def grouped(value: Any) -> str:
    """A number with its thousands set apart as the language does it; 0 for what is missing."""
    return str(number_format(value or 0, force_grouping=True))


@register.filter
def since(value: datetime) -> str:
    """How long ago, in its largest unit, seconds among them."""
    seconds = max(0, int((now() - value).total_seconds()))
    if seconds < 60:
        return ngettext("%d second", "%d seconds", seconds) % seconds
    return timesince(value, depth=1)
