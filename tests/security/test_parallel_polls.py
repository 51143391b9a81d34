"""A second GET or POST while one is served gets 400, and the session closes."""

from __future__ import annotations

from tests.harness.protocol import PATH
from tests.harness.servers import Server
from tests.harness.wire import Peer, Poller, open_socket, read_answer


def test_parallel_polls_second_get(server: Server, bystander: Peer) -> None:
    poller = Poller(server)
    poller.join()
    with (
        poller.waiting_poll() as poll,
        server.counting("violations", "a poll while another one waits"),
    ):
        assert poller.ask().status == 400
        first = poll.read()
    # The first is let go rather than left to wait for ever.
    assert first.status in (200, 400)
    assert server.reason(poller.sid) == "transport error"
    assert poller.is_gone()


def test_parallel_polls_second_post(uvicorn: Server, bystander: Peer) -> None:
    """daphne reads a POST to its end before anyone else sees it, so there two never meet."""
    poller = Poller(uvicorn)
    poller.join()
    first = open_socket(uvicorn)
    head = f"POST {PATH}?{poller.query} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n"
    first.sendall(head.encode() + b'42["note_it"]')
    uvicorn.until(lambda state: poller.id in state["posting"], "the first POST to be read")
    with uvicorn.counting("violations", "a POST while another one is read"):
        assert poller.post('42["note_it"]').status == 400
    first.sendall(b" " * 87)
    assert read_answer(first).status == 400
    first.close()
    assert uvicorn.reason(poller.sid) == "transport error"
    # Neither event was handled.
    assert uvicorn.log(poller.sid) == [["connect"], ["disconnect", "transport error"]]
    assert poller.is_gone()


def test_parallel_polls_get_and_post_do_not_meet(server: Server, bystander: Peer) -> None:
    """One of each is how it is meant to be."""
    poller = Poller(server)
    poller.join()
    with poller.waiting_poll() as poll:
        for number in range(5):
            assert poller.post(f'42["note_it",{number}]').status == 200
        poller.post('421["echo"]')
        answer = poll.read()
    assert answer.packets == ["431[]"]
