"""Counting: everything that the server counts is counted here, O(1) and without locks."""

from __future__ import annotations

from collections import Counter

# By what happened. The keys are few and our own: nothing that a client or a project chooses is one.
violations: Counter[str] = Counter()
refusals: Counter[str] = Counter()
limits: Counter[str] = Counter()
events_refused: Counter[str] = Counter()
handler_errors: Counter[str] = Counter()

# What went over the channel layer: sent, received, lost, dropped, failed, full, malformed, …
layer: Counter[str] = Counter()
