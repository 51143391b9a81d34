"""A WebSocket takes over from polling: probe, upgrade, refusal, timeout."""

from __future__ import annotations

import pytest

from django_socketio.engineio import Frame, Probe
from django_socketio.engineio.reasons import Reason

from .sessions import INTERVAL, TIMEOUT, UPGRADE_TIMEOUT, make_session, texts


def test_the_whole_upgrade() -> None:
    session = make_session("polling")
    assert session.start_upgrade(1)
    assert session.upgrading
    assert not session.probed
    assert session.receive_probe("2probe") is Probe.PONG
    assert session.probed
    assert session.transport == "polling"
    assert session.receive_probe("5") is Probe.UPGRADED
    assert session.transport == "websocket"
    assert not session.upgrading
    assert not session.probed
    assert session.state == "open"


def test_what_was_buffered_meanwhile_goes_over_the_websocket() -> None:
    session = make_session("polling")
    session.start_upgrade(1)
    session.receive_probe("2probe")
    session.set_writable(True)
    session.send(Frame("4a"))
    session.send(Frame(b"b"))
    session.receive_probe("5")
    assert not session.writable
    assert not session.direct
    session.set_writable(True)
    assert not session.direct
    assert [session.take_one(), session.take_one(), session.take_one()][:2] != [None, None]
    session.set_writable(True)
    assert session.direct


def test_an_upgrade_without_a_probe_is_taken_as_the_node_server_takes_it() -> None:
    session = make_session("polling")
    session.start_upgrade(1)
    assert session.receive_probe("5anything") is Probe.UPGRADED
    assert session.transport == "websocket"


def test_a_probe_may_come_twice() -> None:
    session = make_session("polling")
    session.start_upgrade(1)
    assert session.receive_probe("2probe") is Probe.PONG
    assert session.receive_probe("2probe") is Probe.PONG
    assert session.receive_probe("5") is Probe.UPGRADED


@pytest.mark.parametrize(
    "packet", ["", "2", "2prob", "2probe ", "4hello", "3probe", "1", "6", "x", b"", b"5", b"2probe"]
)
@pytest.mark.parametrize("probed", [False, True])
def test_anything_else_refuses_the_probe_and_leaves_the_session(
    packet: str | bytes, probed: bool
) -> None:
    session = make_session("polling")
    session.start_upgrade(1)
    if probed:
        session.receive_probe("2probe")
    assert session.receive_probe(packet) is Probe.REFUSED
    assert not session.upgrading
    assert not session.probed
    assert (session.state, session.transport) == ("open", "polling")
    assert session.receive("4hello") == "hello"


def test_a_second_websocket_is_refused_while_one_tries() -> None:
    session = make_session("polling")
    assert session.start_upgrade(1)
    assert not session.start_upgrade(2)
    assert session.receive_probe("2probe") is Probe.PONG


def test_a_session_upgrades_once() -> None:
    session = make_session("polling")
    session.start_upgrade(1)
    session.receive_probe("5")
    assert not session.start_upgrade(2)
    assert not make_session("websocket").start_upgrade(1)


def test_another_attempt_may_follow_a_failed_one() -> None:
    session = make_session("polling")
    session.start_upgrade(1)
    session.cancel_upgrade()
    assert session.start_upgrade(2)
    assert session.receive_probe("5") is Probe.UPGRADED


def test_an_attempt_times_out_and_the_session_goes_on() -> None:
    session = make_session("polling")
    session.start_upgrade(1)
    assert session.tick(1) == 1 + UPGRADE_TIMEOUT
    session.receive_probe("2probe")
    assert session.tick(UPGRADE_TIMEOUT) == 1 + UPGRADE_TIMEOUT
    assert session.tick(1 + UPGRADE_TIMEOUT) == INTERVAL
    assert not session.upgrading
    assert not session.probed
    assert session.receive_probe("5") is Probe.REFUSED
    assert (session.state, session.transport) == ("open", "polling")


def test_an_upgraded_session_has_no_upgrade_timeout() -> None:
    session = make_session("polling")
    session.start_upgrade(1)
    session.receive_probe("5")
    assert session.tick(1 + UPGRADE_TIMEOUT) == INTERVAL


def test_a_closed_or_closing_session_does_not_upgrade() -> None:
    session = make_session("polling")
    session.start_upgrade(1)
    session.abort(Reason.FORCED_CLOSE)
    assert not session.upgrading
    assert session.receive_probe("2probe") is Probe.REFUSED
    assert session.receive_probe("5") is Probe.REFUSED
    assert session.transport == "polling"
    assert not session.start_upgrade(2)
    session = make_session("polling")
    session.close(Reason.FORCED_CLOSE, 1)
    assert not session.start_upgrade(2)


def test_a_ping_that_was_due_before_the_upgrade_still_counts() -> None:
    session = make_session("polling")
    session.tick(INTERVAL)
    session.start_upgrade(INTERVAL + 1)
    session.receive_probe("5")
    assert texts(session) == ["2"]
    assert session.tick(INTERVAL + TIMEOUT) is None
    assert session.close_reason == "ping timeout"
