"""uvicorn's WebSocket end, on picows: https://picows.readthedocs.io."""
