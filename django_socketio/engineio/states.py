"""The states of a session."""

from __future__ import annotations

from ..enums import StrEnum


class SessionState(StrEnum):
    """Where a session is in its life.

    =======  =======  ==============================================================================
    from     to       when
    =======  =======  ==============================================================================
    OPEN     CLOSING  ``close()``: the owner ends the session in an orderly way
    OPEN     CLOSED   ``abort()``, by the owner or the session itself: the client has sent CLOSE,
                      has broken the protocol, has not answered a ping or reads too slowly
    CLOSING  CLOSED   ``abort()``, by the owner once ``drained``, by ``tick()`` after CLOSE_TIMEOUT
    =======  =======  ==============================================================================

    ``close_reason`` is None in OPEN; the first change sets it for good. Only an OPEN session takes
    packets; a CLOSING one still gives out what waits in its buffer; a CLOSED one holds nothing.

    A polling session may move to a WebSocket, once:

    =============  =============  ================================================================
    from           to             when
    =============  =============  ================================================================
    "polling"      ``upgrading``  ``start_upgrade()``, in OPEN only
    ``upgrading``  ``probed``     the WebSocket has sent PING "probe"
    either         "websocket"    the WebSocket has sent UPGRADE, in OPEN or CLOSING
    either         "polling"      ``cancel_upgrade()``: the WebSocket has gone or has sent anything
                                  else, ``upgrade_timeout`` is over, or the session is CLOSED
    =============  =============  ================================================================
    """

    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"


# Globals, because each packet asks for the state.
OPEN, CLOSING, CLOSED = SessionState.OPEN, SessionState.CLOSING, SessionState.CLOSED
