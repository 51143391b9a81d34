"""MAX_PENDING_SESSIONS, CONNECT_TIMEOUT, UPGRADE_TIMEOUT, PING_TIMEOUT."""

from __future__ import annotations

import socket
from contextlib import ExitStack

import pytest

from django_socketio.sockets.clients import DISMISSED
from tests.harness.protocol import WEBSOCKET
from tests.harness.servers import Server
from tests.harness.wire import (
    Peer,
    Poller,
    frame,
    open_peer,
    raw_websocket,
    read_to_close,
    read_to_end,
)

from .conftest import TIMES

pytestmark = pytest.mark.serial

PENDING = TIMES["MAX_PENDING_SESSIONS"]


def test_too_many_unfinished_handshakes(impatient: Server, bystander: Peer) -> None:
    """The oldest gives way; tests/limits/test_addresses.py has who does not."""
    with ExitStack() as open_ones:
        pollers = [Poller(impatient) for _ in range(PENDING // 2)]
        for _ in range(PENDING - PENDING // 2):
            open_ones.enter_context(Peer(impatient))
        with impatient.counting("limits", DISMISSED, 2):
            late = Poller(impatient)
            open_ones.enter_context(Peer(impatient))
        assert pollers[0].is_gone()
        assert pollers[1].is_gone()
        # The others can still be finished.
        for poller in (pollers[2], late):
            poller.join()
        # And those that are not end by themselves.
        impatient.until(lambda state: state["held"]["pending"] == 0, "the handshakes to end")
        with open_peer(impatient) as peer:
            assert peer.echoes()


def silent(server: Server) -> socket.socket:
    return raw_websocket(server)


def not_socketio(server: Server) -> socket.socket:
    """Engine.IO packets, but none that would connect to a namespace."""
    sock = raw_websocket(server)
    sock.sendall(frame(b"3") + frame(b"6") + frame(b"3hello"))
    return sock


def refused(server: Server) -> socket.socket:
    """Has tried, and was not admitted anywhere."""
    sock = raw_websocket(server)
    sock.sendall(frame(b"40/members,") + frame(b"40/nowhere,"))
    return sock


@pytest.mark.parametrize("client", [silent, not_socketio, refused])
def test_connects_to_no_namespace_over_websocket(
    impatient: Server, bystander: Peer, client: object
) -> None:
    with impatient.counting("limits", "connect timeout"):
        sock = client(impatient)  # type: ignore[operator]
        # There is no code but the ordinary one.
        assert read_to_close(sock).endswith((1000).to_bytes(2, "big"))
        sock.close()
    assert impatient.state()["held"]["pending"] == 0


def test_speaks_no_engineio(impatient: Server, bystander: Peer) -> None:
    """Another protocol is noticed at once."""
    with impatient.counting("violations", "unknown packet type"):
        sock = raw_websocket(impatient)
        sock.sendall(frame(b'{"type":"hello"}') + frame(b"", 0x88))
        assert b"\x88" in read_to_end(sock)
        sock.close()
    impatient.until(lambda state: state["held"]["pending"] == 0, "the session to end")


def test_connects_to_no_namespace_over_polling(impatient: Server, bystander: Peer) -> None:
    with impatient.counting("limits", "connect timeout", 2):
        polling, silent = Poller(impatient), Poller(impatient)
        # What comes first is a ping, perhaps, and then the end.
        while (packets := polling.poll()) == ["2"]:
            polling.post("3")
        assert packets == ["1"]
    assert polling.is_gone()
    # Who has not polled finds out by the next poll.
    assert silent.poll()[-1] in ("1", "2")
    assert impatient.state()["held"]["pending"] == 0


def test_connect_that_takes_too_long(impatient: Server, bystander: Peer) -> None:
    """The namespace does not answer in time: its consumer is told how it ended."""
    peer = Peer(impatient)
    peer.handshake()
    with impatient.counting("limits", "connect timeout"):
        peer.send('40/gated,{"gate":"late"}')
        assert peer.frames_until_closed() == []
    # The client never learned its sid.
    sid = impatient.tag("late")
    impatient.release("late")
    assert impatient.reason(sid) == "forced server close"


def test_connected_in_time(impatient: Server, bystander: Peer) -> None:
    """Whoever has joined once may stay, and may leave and come back."""
    with open_peer(impatient) as peer:
        peer.send("41")
        peer.until_pinged(2)
        assert 2 * TIMES["PING_INTERVAL"] > TIMES["CONNECT_TIMEOUT"]
        peer.join()
        assert peer.echoes()


@pytest.mark.parametrize("probed", [False, True], ids=["silent", "probed"])
def test_upgrade_takes_too_long(impatient: Server, bystander: Peer, probed: bool) -> None:
    """The WebSocket is closed; the session stays where it is, and may try again."""
    poller = Poller(impatient)
    poller.join()
    query = f"{WEBSOCKET}&sid={poller.id}"
    with impatient.counting("limits", "upgrade timeout"):
        prober = Peer(impatient, query=query)
        if probed:
            prober.send("2probe")
            assert prober.next() == "3probe"
        assert prober.frames_until_closed() == []
    assert impatient.log(poller.sid) == [["connect"]]
    poller.post('421["echo"]')
    packets: list[str] = []
    while "431[]" not in packets:
        packets = [packet for packet in poller.poll() if packet != "6"]
        if "2" in packets:
            poller.post("3")
    with Peer(impatient, query=query) as again:
        again.send("2probe", "5")
        assert again.next() == "3probe"
        assert again.echoes()
        assert impatient.log(poller.sid) == [["connect"]]


def test_no_pong_over_websocket(impatient: Server, bystander: Peer) -> None:
    peer = open_peer(impatient, pongs=False)
    with impatient.counting("limits", "ping timeout"):
        assert peer.frames_until_closed() == ["2"]
    assert impatient.reason(peer.sid) == "ping timeout"


def test_no_poll(impatient: Server, bystander: Peer) -> None:
    poller = Poller(impatient)
    poller.join()
    with impatient.counting("limits", "ping timeout"):
        assert impatient.reason(poller.sid) == "ping timeout"
    assert poller.is_gone()
