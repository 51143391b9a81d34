"""Starts uvicorn with our WebSocket end where its ``--ws`` takes no import string: before 0.36."""

from __future__ import annotations

from uvicorn.config import WS_PROTOCOLS
from uvicorn.main import main

from tests.harness.servers import OWN_END

if __name__ == "__main__":
    WS_PROTOCOLS["auto"] = OWN_END
    main()
