"""Names of namespaces."""

from __future__ import annotations


def normalise(namespace: str) -> str:
    """A namespace's name begins with a slash; ``of("chat")`` may leave it out, as in Node."""
    return namespace if namespace.startswith("/") else "/" + namespace
