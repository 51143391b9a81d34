"""Users that need no database."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User


def make_user(pk: int = 1, **fields: Any) -> User:
    """A user as if it came from the database."""
    return User(pk=pk, username=fields.pop("username", f"user{pk}"), **fields)


class Permitted:
    """A user of some other kind, with permissions of its own; notes what it was asked for."""

    pk = "token"
    is_authenticated = True

    def __init__(self, *permissions: str) -> None:
        self.permissions = set(permissions)
        self.asked: list[tuple[str, ...]] = []

    def has_perms(self, permissions: Any) -> bool:
        self.asked.append(tuple(permissions))
        return self.permissions.issuperset(permissions)
