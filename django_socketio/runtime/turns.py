"""How long one connection may keep the event loop before the others have their turn.

What has arrived is there at once, so a coroutine that handles message after message never waits of
itself, and nothing else runs meanwhile. So it counts the weight of what it handles, and waits for
one turn of the loop whenever that exceeds :data:`TURN`: with ``asyncio.sleep(0)``, or where it may
have waited meanwhile with :func:`next_turn`, since who waits without need answers late.
``tests/security/test_hogged_loop.py`` notices where that is missing.
"""

from __future__ import annotations

import asyncio

# A message weighs its length (bytes, or characters) and this: a small one costs its handling.
MESSAGE = 500
# One large message, or 64 small ones: about a millisecond.
TURN = 64 * MESSAGE


def next_turn(loop: asyncio.AbstractEventLoop) -> asyncio.Future[None]:
    """Return a future that is done when the others have had their turn."""
    turn = loop.create_future()
    loop.call_soon(_begin, turn)
    return turn


def _begin(turn: asyncio.Future[None]) -> None:
    if not turn.done():  # who waited was cancelled
        turn.set_result(None)
