"""The one place that knows which channel layer is configured."""

from __future__ import annotations

from typing import Any

from channels.layers import InMemoryChannelLayer, channel_layers

from ..conf import get_settings


def shared_layer() -> Any:
    """Return the channel layer, None where it does not reach other processes."""
    alias = get_settings().channel_layer
    layer = channel_layers[alias] if alias in channel_layers.configs else None
    return None if isinstance(layer, InMemoryChannelLayer) else layer
