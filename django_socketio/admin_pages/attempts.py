"""A limit on how often a password may be tried: so many failures per address and minute."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from ..addressing.addresses import network_of
from ..exceptions import LimitExceeded
from ..logs import logger, safe

# Seconds after an address's first failure until its failures are forgotten.
WINDOW = 60.0
# Addresses that are remembered; with more at a time the oldest is forgotten.
MAX_ADDRESSES = 1000
TOO_MANY = "too many wrong passwords, try again in a minute"


class Attempts:
    """Failures by address; attempts are made in threads, several at a time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        # By address, in the order of their first failures: [time of the first failure, how many].
        self._failures: OrderedDict[str, list[float]] = OrderedDict()

    def begin(self, address: str, allowed: int) -> None:
        """Count an attempt as failed, until :meth:`succeeded` is called.

        It is counted before the password is checked, so that simultaneous attempts count, too.
        Raises LimitExceeded after more than ``allowed`` failures.
        """
        key, now = network_of(address), self._clock()
        with self._lock:
            self._forget_old(now)
            began_and_number = self._failures.setdefault(key, [now, 0])
            began_and_number[1] += 1
            number = began_and_number[1]
            if len(self._failures) > MAX_ADDRESSES:
                self._failures.popitem(last=False)
        if number > allowed:
            if number == allowed + 1:  # one line for a burst
                logger.warning("admin UI: too many wrong passwords from %s", safe(address))
            raise LimitExceeded(TOO_MANY)

    def succeeded(self, address: str) -> None:
        """Forget the failures of an address: the password was right."""
        with self._lock:
            self._failures.pop(network_of(address), None)

    def _forget_old(self, now: float) -> None:
        while self._failures:
            key = next(iter(self._failures))
            if now - self._failures[key][0] < WINDOW:
                return
            del self._failures[key]
