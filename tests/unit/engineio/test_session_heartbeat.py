"""Ping, pong and the ping timeout, with the time as an argument."""

from __future__ import annotations

import pytest

from django_socketio.engineio import Frame

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
    session = make_session(ping_interval=2, ping_timeout=100)
    session.tick(2)
    for now in range(3, 50):
        assert session.tick(now) == 102
    assert texts(session) == ["2"]


@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_a_silent_client_times_out(transport: str) -> None:
    session = make_session(transport)
    session.tick(INTERVAL)
    assert session.tick(INTERVAL + TIMEOUT - 1) == INTERVAL + TIMEOUT
    assert session.state == "open"
    assert session.tick(INTERVAL + TIMEOUT) is None
    assert (session.state, session.close_reason) == ("closed", "ping timeout")
    assert session.tick(INTERVAL + TIMEOUT + 1) is None


@pytest.mark.parametrize("sign", ["4hello", b"hello", "6", "poll"])
def test_a_client_that_talks_gets_more_time_for_its_pong(sign: str | bytes) -> None:
    session = make_session("polling")
    session.tick(INTERVAL)
    if sign == "poll":
        session.heard()
    else:
        session.receive(sign)
    assert session.tick(INTERVAL + TIMEOUT) == INTERVAL + 2 * TIMEOUT
    assert session.state == "open"
    assert session.tick(INTERVAL + 2 * TIMEOUT) is None
    assert session.close_reason == "ping timeout"


def test_what_was_heard_before_the_ping_does_not_answer_it() -> None:
    session = make_session()
    session.receive("4hello")
    session.tick(INTERVAL)
    assert session.tick(INTERVAL + TIMEOUT) is None
    assert session.close_reason == "ping timeout"


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
    session.paused = False
    assert session.tick(INTERVAL + 2 * TIMEOUT) is None
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
    assert session.tick(10) == 10 + TIMEOUT
    assert session.tick(10 + TIMEOUT) is None
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
