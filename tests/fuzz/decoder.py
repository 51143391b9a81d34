"""Socket.IO packets: whatever a client sends is a packet or a PacketError."""

from __future__ import annotations

from typing import Any

from tests.fuzz import fuzzing

with fuzzing.instrumented():
    from django_socketio.packets import (
        Decoder,
        Encoder,
        LargePacket,
        Limits,
        OrjsonCodec,
        PacketError,
    )
    from django_socketio.packets.codec import StandardCodec

LIMITS = Limits(
    max_attachments=5,
    max_attachments_size=500,
    max_nesting_depth=10,
    max_event_name_length=30,
    max_namespace_length=30,
    max_json_values=50,
    max_auth_size=100,
    max_eager_length=60,
)
CODECS = [OrjsonCodec(), StandardCodec()]


def fuzz(data: Any) -> None:
    codec = CODECS[data.ConsumeBool()]
    decoder = Decoder(codec, LIMITS)
    encoder = Encoder(codec, _no_default)
    for _ in range(data.ConsumeIntInRange(1, 8)):
        try:
            found = decoder.feed(fuzzing.packet(data))
            if isinstance(found, LargePacket):
                found.load()
        except PacketError:
            return  # a decoder is not used after an error
        if found is None:
            assert decoder.pending is not None
        elif found.type == "2":
            assert isinstance(found.data[0], str)
            # What a client sends can be sent on to others, who understand it.
            encoder.event(found.namespace, found.data[0], found.data[1:], found.id)


def _no_default(value: object) -> object:
    raise TypeError(f"{value!r} has not come from a decoder")


if __name__ == "__main__":
    fuzzing.run(fuzz)
