"""The tests of a single server again, on three behind a proxy that is not sticky.

``server`` and ``client`` are this folder's fixtures. Left out is what holds for one process only:
handlers that share its memory, and that what one socket sends has reached the others once they are
asked.
"""

from __future__ import annotations

import pytest

# ruff: noqa: F401
from tests.integration.test_js_acks import (
    test_acks,
    test_binary_acks,
    test_calls,
    test_concurrent_events_overlap,
    test_events_queue_behind_a_call,
    test_handlers_use_the_database,
)
from tests.integration.test_js_basics import (
    test_auth,
    test_introduction,
    test_namespaces,
    test_refused,
    test_transport,
    test_unknown_namespace,
)
from tests.integration.test_js_closing import (
    test_the_client_disconnects,
    test_the_server_disconnects,
)
from tests.integration.test_js_rooms import test_a_view_emits, test_volatile
from tests.integration.test_js_upgrade import test_a_thousand_messages_each_way
from tests.integration.test_sessions import (
    test_anonymous_users_are_refused,
    test_logging_out_closes_the_sessions_sockets,
    test_polls_posts_and_upgrades_make_no_query,
    test_the_user_of_the_session_connects,
)

pytestmark = [pytest.mark.node, pytest.mark.redis]


@pytest.fixture(params=["polling", "default"])
def transport(request: pytest.FixtureRequest) -> str:
    """A connection that is a WebSocket from the start stays where it is."""
    return str(request.param)
