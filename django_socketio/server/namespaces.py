"""Names of namespaces."""

from __future__ import annotations


def normalise(namespace: str) -> str:
    """Return a namespace's name with its slash, which ``of("chat")`` may leave out, as in Node."""
    return namespace if namespace.startswith("/") else "/" + namespace
