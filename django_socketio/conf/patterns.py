"""Origins with a wildcard, such as ``https://*.example.com``."""

from __future__ import annotations

import re

# What stands for "*": one name or several, as a browser writes them.
_SUBDOMAINS = r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*"


def as_pattern(item: str | re.Pattern[str]) -> re.Pattern[str] | None:
    """Return the expression that an origin has to match in full, None if ``item`` is an origin.

    "*" stands for subdomains of any depth, as in CSRF_TRUSTED_ORIGINS. The domain itself is none.
    """
    if isinstance(item, re.Pattern):
        return item
    scheme, wildcard, rest = item.partition("://*")
    return re.compile(f"{re.escape(scheme)}://{_SUBDOMAINS}{re.escape(rest)}") if wildcard else None
