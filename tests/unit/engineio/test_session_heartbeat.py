"""Ping, pong and the ping timeout, with the time as an argument."""

from __future__ import annotations

import pytest

from django_socketio.engineio import Frame, Reason

from .sessions import INTERVAL, TIMEOUT, make_session, new_session, texts, written

QUARTER = 250


def test_the_first_ping_comes_after_the_interval() -> None:
    session = make_session(now=100)
    assert session.tick(100) == 100 + INTERVAL
    assert session.tick(100 + INTERVAL - 1) == 100 + INTERVAL
    assert texts(session) == []
    assert session.tick(100 + INTERVAL) == 100 + INTERVAL + TIMEOUT
    assert texts(session) == ["2"]


def test_a_client_that_answers_is_pinged_again_an_interval_after_the_last_ping() -> None:
    session = make_session()
    session.tick(INTERVAL)
    texts(session)
    assert session.receive("3") is None
    assert session.tick(INTERVAL + 1) == 2 * INTERVAL
    assert texts(session) == []
    session.tick(2 * INTERVAL)
    assert texts(session) == ["2"]


def test_no_second_ping_while_the_first_is_unanswered() -> None:
    session = make_session(ping_interval=20, ping_timeout=100)
    assert session.tick(20) == 40
    for now in range(40, 120):
        assert session.tick(now) == 120
    assert texts(session) == ["2"]


def test_pings_fall_on_a_grid_and_never_late() -> None:
    """Sessions that have begun at about the same time share a turn of the wheel."""
    grid = TIMEOUT / 20
    for began in (100, 100.1, 100.5, 100.9):
        session = make_session(now=began)
        assert session.next_ping == 100 + INTERVAL
        assert began + INTERVAL - grid < session.next_ping <= began + INTERVAL
        session.tick(session.next_ping + 0.25)
        assert session.next_ping == 100 + 2 * INTERVAL


@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_a_silent_client_times_out(transport: str) -> None:
    session = make_session(transport)
    session.tick(INTERVAL)
    assert session.tick(INTERVAL + TIMEOUT - 1) == INTERVAL + TIMEOUT
    assert session.state == "open"
    assert session.tick(INTERVAL + TIMEOUT) is None
    assert (session.state, session.close_reason) == ("closed", "ping timeout")
    assert session.tick(INTERVAL + TIMEOUT + 1) is None


def test_the_first_packet_after_a_ping_gives_more_time_for_the_pong() -> None:
    """As in Node: the pong may stand behind it. No other packet does."""
    session = make_session()
    session.tick(INTERVAL)
    assert session.expectant
    session.grant_time(INTERVAL + 5)
    assert not session.expectant
    assert session.tick(INTERVAL + TIMEOUT) == INTERVAL + TIMEOUT + 5
    assert session.state == "open"
    assert session.tick(INTERVAL + TIMEOUT + 5) is None
    assert session.close_reason == "ping timeout"


def test_a_packet_before_the_ping_gives_no_time() -> None:
    session = make_session()
    assert not session.expectant
    session.receive("4hello")
    session.tick(INTERVAL)
    assert session.tick(INTERVAL + TIMEOUT) is None
    assert session.close_reason == "ping timeout"


def test_the_pong_ends_the_wait_for_a_packet() -> None:
    session = make_session()
    session.tick(INTERVAL)
    session.receive("3")
    assert not session.expectant


def test_a_poll_is_no_pong() -> None:
    session = make_session("polling")
    session.tick(INTERVAL)
    session.heard()
    assert session.tick(INTERVAL + TIMEOUT) is None
    assert session.close_reason == "ping timeout"


def test_who_is_overdue_is_known_before_the_timer_comes() -> None:
    session = make_session()
    assert not session.overdue(INTERVAL + TIMEOUT)  # nobody has pinged it
    session.tick(INTERVAL)
    assert not session.overdue(INTERVAL + TIMEOUT - 0.001)
    assert session.overdue(INTERVAL + TIMEOUT)
    session.paused = True
    assert not session.overdue(INTERVAL + TIMEOUT)
    session.resume(INTERVAL + TIMEOUT)
    assert not session.overdue(INTERVAL + TIMEOUT)
    session.receive("3")
    assert not session.overdue(INTERVAL + 100 * TIMEOUT)


def test_a_closing_session_is_not_overdue() -> None:
    """Its last packets may still be fetched."""
    session = make_session("polling")
    session.tick(INTERVAL)
    session.close(Reason.SERVER_CLOSE, INTERVAL + 1)
    assert not session.overdue(INTERVAL + TIMEOUT)


def test_a_pong_nobody_asked_for_changes_nothing() -> None:
    session = make_session()
    before = session.tick(1)
    for _ in range(1000):
        assert session.receive("3") is None
    assert session.tick(1) == before
    assert session.buffered == 0


def test_a_client_is_not_blamed_for_the_time_in_which_it_is_not_read() -> None:
    session = make_session()
    session.tick(INTERVAL)
    session.paused = True
    assert session.tick(INTERVAL + TIMEOUT) == INTERVAL + 2 * TIMEOUT
    # Its pong may be among what is read only now.
    session.resume(INTERVAL + TIMEOUT + 3)
    assert session.tick(INTERVAL + 2 * TIMEOUT) == INTERVAL + 2 * TIMEOUT + 3
    assert session.tick(INTERVAL + 2 * TIMEOUT + 3) is None
    assert session.close_reason == "ping timeout"


def test_a_late_tick_counts_the_timeout_from_the_ping_it_sent() -> None:
    session = make_session()
    assert session.tick(INTERVAL + 100) == INTERVAL + 100 + TIMEOUT
    assert session.tick(INTERVAL + 100 + TIMEOUT) is None


def test_a_ping_waits_for_the_poll_that_fetches_it() -> None:
    session = new_session("polling")
    texts(session)
    session.set_writable(False)
    session.tick(INTERVAL)
    assert [frame.data for frame in session.buffer] == ["2"]
    assert session.take() == []
    assert texts(session) == ["2"]


# A client that takes much and says nothing


def test_much_written_without_a_word_asks_for_a_sign_of_life() -> None:
    session = make_session(max_write_buffer=4 * QUARTER)
    assert not written(session, QUARTER)
    assert written(session, 1)
    ping = session.ping(10)
    assert ping is not None
    assert ping.data == "2"
    # The pong may stand behind much on a slow link: it has as long as that to the next ping.
    assert session.tick(10) == INTERVAL
    assert session.tick(INTERVAL) == INTERVAL + TIMEOUT
    assert session.tick(INTERVAL + TIMEOUT) is None
    assert session.close_reason == "ping timeout"


def test_the_answer_makes_all_well() -> None:
    session = make_session(max_write_buffer=4 * QUARTER)
    assert written(session, QUARTER + 1)
    session.ping(10)
    session.receive("3")
    assert session.unheard == 0
    assert session.tick(10) == INTERVAL
    assert not written(session, QUARTER)
    assert written(session, 1)
    assert session.ping(20) is not None


def test_a_client_that_was_asked_and_takes_on_is_given_up() -> None:
    session = make_session(max_write_buffer=4 * QUARTER)
    assert written(session, QUARTER + 1)
    session.ping(10)
    assert not written(session, 3 * QUARTER - 1)
    assert written(session, 1)
    assert session.ping(11) is None
    assert (session.state, session.close_reason) == ("closed", "transport error")
    assert session.detail == "slow client"


def test_a_client_that_answers_is_not_given_up() -> None:
    session = make_session(max_write_buffer=4 * QUARTER)
    for _ in range(100):
        if written(session, QUARTER // 2) and session.ping(10) is not None:
            session.receive("3")
    assert session.state == "open"


def test_a_client_that_only_talks_is_given_up() -> None:
    """It may send without end and yet read nothing."""
    session = make_session(max_write_buffer=4 * QUARTER)
    while session.state == "open":
        if written(session, QUARTER // 2):
            session.ping(10)
        session.receive("4thanks")
        assert session.unheard <= 5 * QUARTER
    assert session.detail == "slow client"


def test_an_answer_to_no_question_tells_nothing() -> None:
    session = make_session(max_write_buffer=4 * QUARTER)
    written(session, QUARTER)
    session.receive("3")
    assert session.unheard == QUARTER


def test_an_answer_tells_of_what_was_written_before_the_question() -> None:
    session = make_session(max_write_buffer=4 * QUARTER)
    written(session, QUARTER + 1)
    session.ping(10)
    written(session, QUARTER)
    session.receive("3")
    assert session.unheard == QUARTER


def test_what_waited_counts_when_it_is_written() -> None:
    session = make_session(max_write_buffer=4 * QUARTER)
    session.set_writable(False)
    for _ in range(3):
        session.send(Frame(b"x" * (QUARTER // 2)))
    for expected in (False, False, True):
        session.take_one()
        assert session.suspicious is expected


def test_a_client_that_owes_a_pong_is_not_asked_twice() -> None:
    session = make_session(max_write_buffer=4 * QUARTER)
    session.tick(INTERVAL)
    assert written(session, QUARTER + 1)
    assert session.ping(INTERVAL + 1) is None
    assert session.state == "open"
    assert session.tick(INTERVAL + TIMEOUT) is None
