"""The cluster on layers beside channels_redis's: rooms, reach, questions, senders, tunnels."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cluster.test_outside import (  # noqa: F401
    run,
    test_acts,
    test_after_a_fork,
    test_nothing_is_lost_at_the_end,
)
from tests.cluster.test_questions import (  # noqa: F401
    members,
    test_binary_questions_and_answers,
    test_many_questions_at_once,
    test_one_answer_per_member,
    test_server_side_call,
)
from tests.cluster.test_reach import *  # noqa: F403
from tests.cluster.test_rooms import *  # noqa: F403
from tests.cluster.test_unsticky import (  # noqa: F401
    test_a_body_that_is_too_large,
    test_a_session_is_answered_wherever_it_asks,
    test_a_session_that_nobody_knows,
    test_many_clients_connect_at_once,
)
from tests.harness.cluster import Cluster
from tests.harness.layers import other_layers

pytestmark = pytest.mark.node


# NATS has a subscription for each group, which are read side by side.
BETWEEN_ROOMS = ("test_order_over_rooms", "test_calls_take_effect_in_their_order", "test_acts")


@pytest.fixture(params=other_layers())
def cluster(request: pytest.FixtureRequest, shared_cluster: Callable[[str], Cluster]) -> Cluster:
    if request.param == "nats" and request.node.originalname in BETWEEN_ROOMS:
        pytest.xfail("it keeps no order between rooms")
    return shared_cluster(request.param)
