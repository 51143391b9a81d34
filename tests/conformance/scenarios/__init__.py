"""What a raw client does to a server, and what it then sees.

A scenario gets a server and returns ``{label: observation}``. It asserts nothing: the test
runs it against the Node server and against ours, and compares.
"""

from importlib import import_module

from tests.conformance.scenarios.registry import SCENARIOS, Scenario

for _name in (
    "handshake",
    "http",
    "files",
    "payloads",
    "polling",
    "websocket",
    "upgrade",
    "packets",
    "recovery",
    "timing",
    "client2",
):
    import_module(f"{__name__}.{_name}")

__all__ = ["SCENARIOS", "Scenario"]
