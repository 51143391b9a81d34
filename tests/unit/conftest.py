"""What the unit tests share: hypothesis without deadlines, and both JSON codecs."""

from __future__ import annotations

import pytest
from hypothesis import settings

from django_socketio.packets import JSONCodec, OrjsonCodec, StandardCodec

# A loaded machine is no reason to fail.
settings.register_profile("unit", deadline=None)
settings.load_profile("unit")


@pytest.fixture(params=[StandardCodec, OrjsonCodec])
def codec(request: pytest.FixtureRequest) -> JSONCodec:
    codec: JSONCodec = request.param()
    return codec
