"""``enum.StrEnum``, which Python 3.10 does not have yet."""

from __future__ import annotations

import sys
from enum import Enum

if sys.version_info >= (3, 11):
    from enum import StrEnum as StrEnum
else:

    class StrEnum(str, Enum):
        """Members are text: their values."""

        __str__ = str.__str__
