"""Sends the signals ``user_online`` and ``user_offline``."""

from __future__ import annotations

from collections import deque
from typing import Any

from django.apps import apps

from ..addressing.rooms import UserRoom
from ..runtime.announcements import announce
from ..runtime.runtime import Runtime
from ..signals import user_offline, user_online


class UserSignals:
    """Sends the signals of one user one after the other, those of several side by side."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        # By user, whether the user is online, for signals that wait for the one before.
        self._waiting: dict[UserRoom, deque[bool]] = {}

    def send(self, user: UserRoom, online: bool) -> None:
        """Send a signal of a user. Returns at once."""
        signal = user_online if online else user_offline
        if user in self._waiting:
            self._waiting[user].append(online)
        elif signal.receivers:
            self._waiting[user] = deque([online])
            # A task with an owner is waited for when the process ends.
            self._runtime.spawn(self._send_all(user), owner=self)

    async def _send_all(self, user: UserRoom) -> None:
        waiting = self._waiting[user]
        try:
            while waiting:
                signal = user_online if waiting.popleft() else user_offline
                about = {"user_id": user.pk}
                await announce(self._runtime, signal, _model(user), about, hook=True)
        finally:
            del self._waiting[user]


def _model(user: UserRoom) -> Any:
    """Return the class of a user, None where it is no model."""
    try:
        return apps.get_model(user.model) if user.model else None
    except LookupError:
        return None
