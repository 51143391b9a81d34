"""What the package brings for ASGI servers: faster ends of uvicorn."""
