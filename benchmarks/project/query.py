"""A query as small as queries are."""

from __future__ import annotations

from django.contrib.auth import get_user_model

NAME = "somebody"


def query() -> str:
    """The name of the user that the benchmark has made."""
    name: str = get_user_model().objects.get(username=NAME).get_username()
    return name
