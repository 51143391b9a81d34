"""What holds for any value and any input, with either JSON library."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from django.core.serializers.json import DjangoJSONEncoder
from hypothesis import given
from hypothesis import strategies as st

from django_socketio.packets import (
    Encoder,
    JSONCodec,
    OrjsonCodec,
    Packet,
    PacketError,
    PacketType,
    StandardCodec,
)
from tests.unit.strategies import (
    ack_ids,
    any_packets,
    any_texts,
    event_names,
    json_values,
    namespaces,
    values,
)

from .decoding import decode, make_decoder, same

codecs = st.sampled_from([StandardCodec(), OrjsonCodec()])
default = DjangoJSONEncoder().default


@given(codecs, codecs, namespaces, event_names, st.lists(values, max_size=5), ack_ids)
def test_an_event_survives_the_way_there_and_back(
    there: JSONCodec,
    back: JSONCodec,
    namespace: str,
    name: str,
    args: list[Any],
    ack_id: int | None,
) -> None:
    encoded = Encoder(there, default).event(namespace, name, args, ack_id)
    packet = decode(encoded, back)
    assert packet == Packet(PacketType.EVENT, namespace, [name, *args], ack_id)
    assert same(packet.data, [name, *args])
    assert packet.size == len(encoded.text) + sum(map(len, encoded.attachments))


@given(codecs, codecs, namespaces, st.lists(values, max_size=5), st.integers(0, 2**53 - 1))
def test_an_ack_survives_the_way_there_and_back(
    there: JSONCodec, back: JSONCodec, namespace: str, args: list[Any], ack_id: int
) -> None:
    packet = decode(Encoder(there, default).ack(namespace, args, ack_id), back)
    assert packet == Packet(PacketType.ACK, namespace, args, ack_id)
    assert same(packet.data, args)


@given(codecs, namespaces, st.lists(values, max_size=5), st.integers(0, 2**53 - 1))
def test_an_event_may_get_another_id_without_being_encoded_again(
    codec: JSONCodec, namespace: str, args: list[Any], ack_id: int
) -> None:
    encoder = Encoder(codec, default)
    expected = encoder.event(namespace, "e", args, ack_id)
    packet = encoder.event(namespace, "e", args, 0).with_id(ack_id)
    assert (packet.text, packet.attachments) == (expected.text, expected.attachments)


@given(codecs, codecs, namespaces, st.dictionaries(st.text(max_size=5), json_values, max_size=5))
def test_the_other_packets_survive_the_way_there_and_back(
    there: JSONCodec, back: JSONCodec, namespace: str, data: dict[str, Any]
) -> None:
    data = {key.encode(errors="replace").decode(): value for key, value in data.items()}
    encoder = Encoder(there, default)
    assert decode(encoder.connect(namespace, data), back) == Packet("0", namespace, data)
    assert decode(encoder.connect_error(namespace, data), back) == Packet("4", namespace, data)
    assert decode(encoder.disconnect(namespace), back) == Packet("1", namespace)


@given(st.lists(values, max_size=5), ack_ids)
def test_both_libraries_write_what_the_other_one_writes(
    args: list[Any], ack_id: int | None
) -> None:
    one = Encoder(StandardCodec(), default).event("/", "e", args, ack_id)
    other = Encoder(OrjsonCodec(), default).event("/", "e", args, ack_id)
    assert one.attachments == other.attachments
    assert decode(one) == decode(other)


@given(codecs, st.integers())
def test_an_integer_of_any_size_is_written_with_its_digits(codec: JSONCodec, number: int) -> None:
    assert Encoder(codec, default).event("/", "e", [number]).text == f'2["e",{number}]'
    exact = -(2**63) <= number < 2**64
    received = decode(Encoder(codec, default).event("/", "e", [number]), codec).data[1]
    assert same(received, number if exact else float(number))


@given(codecs, st.text(max_size=30))
def test_any_text_can_be_sent_and_is_valid_utf_8(codec: JSONCodec, text: str) -> None:
    packet = Encoder(codec, default).event("/", "e", [text])
    packet.text.encode()
    # Two halves of a pair that meet are one character from then on.
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    assert decode(packet, codec).data == ["e", whole]


@given(codecs, any_texts)
def test_no_text_makes_a_decoder_raise_anything_else(codec: JSONCodec, text: str) -> None:
    with contextlib.suppress(PacketError):
        packet = make_decoder(codec).feed(text)
        assert packet is None or packet.namespace.startswith("/")


@pytest.mark.parametrize("codec", [StandardCodec(), OrjsonCodec()])
@given(st.lists(any_packets, max_size=8))
def test_no_sequence_of_messages_makes_a_decoder_raise_anything_else(
    codec: JSONCodec, messages: list[str | bytes]
) -> None:
    decoder = make_decoder(
        codec,
        max_attachments=2,
        max_attachments_size=50,
        max_nesting_depth=4,
        max_namespace_length=9,
    )
    for message in messages:
        with contextlib.suppress(PacketError):
            packet = decoder.feed(message)
            if packet is not None:
                check(packet)


json_like = st.recursive(
    st.sampled_from(["null", "true", '"a"', "1", "1.5", "-1", '"connect"', "1e400", "NaN"]),
    lambda inner: (
        st.lists(inner, max_size=4).map(lambda items: f"[{','.join(items)}]")
        | st.lists(inner, max_size=3).map(
            lambda items: "{" + ",".join(f'"k{n}":{item}' for n, item in enumerate(items)) + "}"
        )
        | inner.map('{{"_placeholder":true,"num":{}}}'.format)
    ),
    max_leaves=8,
)


@given(
    codecs,
    st.sampled_from(["0", "1", "2", "3", "4", "5", "50-", "51-", "52-", "6", "60-", "61-", "62-"]),
    st.sampled_from(["", "/a,", "/a"]),
    st.sampled_from(["", "0", "7", "-1", "99999999999999999"]),
    json_like,
)
def test_well_formed_json_of_the_wrong_shape_is_refused_properly(
    codec: JSONCodec, kind: str, namespace: str, ack_id: str, data: str
) -> None:
    decoder = make_decoder(codec)
    with contextlib.suppress(PacketError):
        packet = decoder.feed(kind + namespace + ack_id + data)
        while packet is None:
            packet = decoder.feed(b"x")
        check(packet)


def check(packet: Packet) -> None:
    """What everything behind the decoder relies on."""
    assert packet.type in "01234"
    assert packet.namespace.startswith("/")
    assert "," not in packet.namespace
    assert packet.id is None or 0 <= packet.id < 10**16
    if packet.type == PacketType.EVENT:
        assert type(packet.data) is list
        assert type(packet.data[0]) is str
        assert packet.data[0] not in {"connect", "connect_error", "disconnect", "disconnecting"}
        assert packet.id is None or packet.id < 2**53
    elif packet.type == PacketType.ACK:
        assert type(packet.data) is list
    elif packet.type == PacketType.CONNECT:
        assert packet.data is None or type(packet.data) is dict
    elif packet.type == PacketType.DISCONNECT:
        assert packet.data is None
    else:
        assert type(packet.data) in (str, dict)
