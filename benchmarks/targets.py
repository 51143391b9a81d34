"""What is to be reached, as data: CPU time (or memory) of ours against that of another server."""

from __future__ import annotations

from dataclasses import dataclass

# Ours, and the servers that it is compared with, in the order of the table's columns.
OURS = "ours-uvicorn"
OTHERS = ("floor", "python-socketio", "node", "channels", "django-sio")
# The same code in another place: against the bare application in that place.
VARIANTS = (
    ("ours-json", "floor"),
    ("ours-granian", "floor-granian"),
    ("ours-daphne", "floor-daphne"),
)


@dataclass(frozen=True)
class AtMost:
    """A limit of the ratio or, ``plus``, of the difference in the metric's unit."""

    limit: float
    plus: bool = False

    def figure(self, ours: float, other: float) -> float:
        return ours - other if self.plus else ours / other

    def met(self, figure: float) -> bool:
        return figure <= self.limit


RATIO = AtMost(float("inf"))

TARGETS: dict[tuple[str, str, str], AtMost] = {
    (metric, ours, other): limit
    for metric, ours, limits in (
        ("echo", OURS, (AtMost(1.35), AtMost(0.25), AtMost(1.4))),
        ("ack", OURS, (AtMost(1.35), AtMost(0.25), AtMost(1.4))),
        ("echo", "ours-json", (AtMost(1.5),)),
        ("ack", "ours-json", (AtMost(1.5),)),
        ("binary", OURS, (AtMost(1.35), AtMost(0.25), AtMost(1.4))),
        ("broadcast", OURS, (AtMost(1.15), AtMost(0.2), AtMost(1.1))),
        ("connect", OURS, (AtMost(1.4), AtMost(0.5), AtMost(0.9))),
        ("polling", OURS, (AtMost(1.4), AtMost(0.45), AtMost(2.0))),
        ("memory", OURS, (AtMost(6.0, plus=True), AtMost(0.7), AtMost(1.6))),
        ("redis", OURS, (None, AtMost(0.3), AtMost(1.2))),
    )
    for other, limit in zip(OTHERS, limits)  # noqa: B905 - the last ones have no target
    if limit is not None
}
