"""Several processes without a layer that they share: it cannot work, and the log says so."""

from __future__ import annotations

from typing import Any

import pytest

from django_socketio.addressing.ids import new_id, new_node
from django_socketio.cluster import strangers
from tests.harness.inprocess import Exchange, Frames
from tests.harness.protocol import POLLING, WEBSOCKET


async def test_requests_for_sessions_of_another_process_are_explained_once(
    application: Any, logged: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strangers, "GRACE", 0.0)
    other = new_node()
    for _ in range(5):
        sid = new_id(other)
        answer = await Exchange(application, f"{POLLING}&sid={sid}").run()
        assert (answer.status, answer.json["message"]) == (400, "Session ID unknown")
        await Frames(application, f"{WEBSOCKET}&sid={sid}").refused()
    (record,) = logged()
    assert "set CHANNEL_LAYERS to a layer that they share" in record.getMessage()


async def test_sids_that_are_made_up_are_not(
    application: Any, logged: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strangers, "GRACE", 0.0)
    for sid in ("unknown", "x" * 1000, "%00", "__proto__"):
        for _ in range(5):
            answer = await Exchange(application, f"{POLLING}&sid={sid}").run()
            assert answer.status == 400
    assert logged() == []
