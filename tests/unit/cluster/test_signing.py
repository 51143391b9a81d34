"""The signer where msgpack is missing; tests/security/test_forged_messages.py has the rest."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from django_socketio.cluster import signing


def test_without_msgpack_the_cure_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing, "msgpack", None)
    with pytest.raises(ImproperlyConfigured, match=r"pip install channels-socketio\[redis\]"):
        signing.Signer(["secret"])
