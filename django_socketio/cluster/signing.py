"""Signs what processes say to each other, with a key that is made of SECRET_KEY.

Who can write to the channel layer but does not know the key cannot make a process do anything. A
message is packed here, and the layer carries bytes::

    {"type": ..., "v": VERSION, "b": what :func:`.messages.pack` made, packed, "m": the signature}

What is signed says for which process it is, so that nobody can send it on to another one.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from hashlib import blake2b
from hmac import compare_digest
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.crypto import salted_hmac

from ..logs import Bursts, logger
from ..stats import counters
from .messages import TYPE, VERSION

try:
    import msgpack
except ImportError:  # channels_redis brings it; a process without others needs none
    msgpack = None

# Bytes of a signature.
SIGNATURE_SIZE = 16
# A packer keeps the memory of the largest message that it has packed, in bytes: up to so much.
MAX_KEPT = 1_000_000

# What is logged when a message is dropped, by what it is counted as.
_REASONS = {
    "unknown version": "a process of another version of django_socketio is on this channel layer; "
    "it and this process do not see each other",
    "forged": "a message on the channel layer was not signed with this site's SECRET_KEY, or was "
    "meant for another process, and is dropped",
}


def site_secrets() -> list[str | bytes]:
    """Return SECRET_KEY, and those before it, which count while messages are received."""
    return [settings.SECRET_KEY, *getattr(settings, "SECRET_KEY_FALLBACKS", ())]


class Signer:
    """Signs with the first of ``secrets``; takes what was signed with any of them.

    Raises ImproperlyConfigured without msgpack.
    """

    def __init__(self, secrets: Iterable[str | bytes]) -> None:
        if msgpack is None:
            raise ImproperlyConfigured(
                "Processes that share a channel layer need msgpack: "
                "pip install channels-socketio[redis], or msgpack alone."
            )
        keys = [
            salted_hmac("django_socketio.layer", "", secret=secret, algorithm="sha256").digest()
            for secret in secrets
        ]
        self._begun = [blake2b(key=key, digest_size=SIGNATURE_SIZE) for key in keys]
        self._packer = msgpack.Packer()
        self._bursts = Bursts()

    def sign(self, content: dict[str, Any], channel: str) -> dict[str, Any] | None:
        """Return a message as the layer carries it, for one ``channel``, or "" for any.

        Returns None for what cannot be packed; that is counted and logged.
        """
        try:
            body: bytes = self._packer.pack([channel, content])
        except (TypeError, ValueError, OverflowError):
            counters.layer.add("malformed")
            logger.exception("the channel layer cannot carry a message")
            return None
        if len(body) > MAX_KEPT:
            self._packer = msgpack.Packer()
        digest = self._begun[0].copy()
        digest.update(body)
        return {"type": TYPE, "v": VERSION, "b": body, "m": digest.digest()}

    def open(self, message: Any, channel: str | None) -> Any:
        """Return what was signed, if that was done by this site, and for ``channel`` or for any.

        Returns None for anything else; that is counted, and logged once per burst.
        """
        if not isinstance(message, dict) or message.get("v") != VERSION:
            return self._refuse("unknown version")
        body, signature = message.get("b"), message.get("m")
        if not (isinstance(body, bytes) and isinstance(signature, bytes)):
            return self._refuse("forged")
        for begun in self._begun:
            digest = begun.copy()
            digest.update(body)
            if compare_digest(digest.digest(), signature):
                break
        else:
            return self._refuse("forged")
        to, content = msgpack.unpackb(body)
        return content if to in ("", channel) else self._refuse("forged")

    def _refuse(self, reason: str) -> None:
        counters.layer.add(reason)
        self._bursts.error(reason, _REASONS[reason], time.monotonic())
