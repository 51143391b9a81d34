"""Tests that run at a small size, and at their full one where ``-m large`` asks for that."""

from __future__ import annotations

from typing import Any

import pytest


def sizes(small: int, full: int) -> list[Any]:
    """Values for ``parametrize``. What is large takes minutes, and a machine that is not busy."""
    marks = [pytest.mark.large, pytest.mark.timeout(900)]
    return [pytest.param(small), pytest.param(full, marks=marks)]
