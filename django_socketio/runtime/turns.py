"""How long one connection may keep the event loop before the others have their turn.

What has arrived is there at once, so a coroutine that handles message after message never waits of
itself, and nothing else runs meanwhile. So it counts the weight of what it handles, and waits for
one turn of the loop (``asyncio.sleep(0)``) whenever that exceeds :data:`TURN`.
``tests/security/test_hogged_loop.py`` notices where that is missing.
"""

# A message weighs its length (bytes, or characters) and this: a small one costs its handling.
MESSAGE = 500
# One large message, or 64 small ones: about a millisecond.
TURN = 64 * MESSAGE
