"""The settings: names, defaults and validators, and the objects that are made from them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.utils.module_loading import import_string

from ..engineio import SessionOptions
from ..packets import (
    LARGE,
    CheckedDecoder,
    Decoder,
    Decoder4,
    Encoder,
    JSONCodec,
    Limits,
    MsgpackParser,
    Parser,
    QueryDecoder,
    default_codec,
)
from . import validators
from .cookies import bake
from .patterns import as_pattern
from .recovery import RecoveryOptions, read_options


def option(default: Any, validator: validators.Validator, secret: bool = False) -> Any:
    """Return the field of a setting. The values of a ``secret`` one are never shown."""
    metadata = {"validator": validator, "secret": secret}
    if isinstance(default, (list, dict)):
        return field(default_factory=default.copy, repr=not secret, metadata=metadata)
    return field(default=default, repr=not secret, metadata=metadata)


@dataclass(frozen=True)
class Settings:
    """``settings.SOCKETIO`` with all defaults; docs/settings.md explains each."""

    path: str = option("/socket.io/", validators.path)
    transports: list[str] = option(list(validators.TRANSPORTS), validators.transports)
    allow_upgrades: bool = option(True, validators.boolean)
    allow_eio3: bool = option(False, validators.boolean)
    parser: str = option("default", validators.parser)
    typed: bool = option(False, validators.typed)
    # Times
    ack_timeout: float = option(60, validators.number(0))
    ping_interval: float = option(25, validators.number(0))
    ping_timeout: float = option(20, validators.number(0))
    upgrade_timeout: float = option(10, validators.number(0))
    connect_timeout: float = option(45, validators.number(0))
    attachments_timeout: float = option(60, validators.number(0))
    body_timeout: float = option(60, validators.number(0))
    # HTTP
    allow_request: Callable[..., Any] | str | None = option(None, validators.function)
    cors_allowed_origins: list[str | re.Pattern[str]] | str = option([], validators.origins)
    cors_allow_credentials: bool = option(False, validators.boolean)
    cors_allowed_headers: list[str] | None = option(None, validators.header_names_or_none)
    cors_exposed_headers: list[str] = option([], validators.header_names)
    cors_max_age: int | None = option(None, validators.max_age)
    cookie: dict[str, Any] | bool | None = option(None, validators.cookie)
    http_compression: bool | dict[str, int] = option(True, validators.compression)
    serve_client: bool = option(True, validators.boolean)
    trusted_proxies: int | list[str] = option(0, validators.proxies)
    # Limits for a client; going past one closes the session of that client alone
    max_http_buffer_size: int = option(1_000_000, validators.integer(1))
    max_packets_per_payload: int = option(100_000, validators.integer(1))
    max_attachments: int = option(1000, validators.integer(0))
    max_attachments_size: int = option(10_000_000, validators.integer(0))
    max_nesting_depth: int = option(100, validators.integer(1))
    max_json_values: int = option(300_000, validators.integer(1))
    max_auth_size: int = option(16_384, validators.integer(1))
    max_event_name_length: int = option(256, validators.integer(1))
    max_namespace_length: int = option(256, validators.integer(1))
    max_room_name_length: int = option(1024, validators.integer(1))
    max_namespaces: int = option(100, validators.integer(1))
    max_rooms: int = option(10_000, validators.integer(1))
    max_pending_acks: int = option(10_000, validators.integer(1))
    max_pending_events: int = option(10_000, validators.integer(1))
    max_pending_events_size: int = option(4_000_000, validators.integer(1))
    max_pending_events_total_size: int = option(128_000_000, validators.integer(1))
    max_refusals: int = option(100, validators.integer(1))
    max_pending_sessions: int = option(10_000, validators.integer(1))
    max_write_buffer_size: int = option(16_000_000, validators.integer(1))
    # Threads: for plain handlers, for plain hooks; of one client; that wait for answers, of each
    worker_threads: int = option(32, validators.integer(1))
    hook_threads: int = option(16, validators.integer(1))
    max_threads_per_client: int = option(4, validators.integer(1))
    max_waiting_threads: int = option(128, validators.integer(1))
    # Limits for an address; the last two in one second
    max_pending_sessions_per_address: int = option(5000, validators.integer(1))
    max_handshakes_per_address: int = option(2000, validators.integer(1))
    max_refusals_per_address: int = option(100, validators.integer(1))
    # What waits for clients that have lost their connection
    connection_state_recovery: dict[str, Any] | bool | None = option(None, validators.recovery)
    # Other processes
    channel_layer: str = option("default", validators.alias)
    heartbeat_interval: float = option(1, validators.number(0))
    heartbeat_timeout: float = option(4, validators.number(0))
    max_layer_buffer_size: int = option(16_000_000, validators.integer(1))
    max_resend_buffer_size: int = option(16_000_000, validators.integer(0))
    share_credentials: bool = option(False, validators.boolean)
    redis_emitter: bool | dict[str, str] | None = option(
        None, validators.redis_emitter, secret=True
    )
    # Signals of users who come and go; seconds for which one may be away
    presence: bool = option(False, validators.boolean)
    presence_grace: float = option(5, validators.number(0))
    # Statistics: how often they are written to the database (0 or None: never), how long kept
    stats_interval: float | None = option(10, validators.interval)
    stats_retention: float = option(8 * 86400, validators.number(0))
    stats_process_retention: float = option(86400, validators.number(0))
    # The official Admin UI
    admin_ui: bool | dict[str, Any] | None = option(None, validators.admin_ui, secret=True)
    # Inside
    json: str | None = option(None, validators.codec)

    @cached_property
    def upgrades(self) -> tuple[str, ...]:
        """The transports to which a polling session may upgrade."""
        return ("websocket",) if self.allow_upgrades and "websocket" in self.transports else ()

    @cached_property
    def session_options(self) -> SessionOptions:
        """The options of Engine.IO sessions."""
        return SessionOptions(
            ping_interval=self.ping_interval,
            ping_timeout=self.ping_timeout,
            upgrade_timeout=self.upgrade_timeout,
            max_payload=self.max_http_buffer_size,
            max_packets=self.max_packets_per_payload,
            max_write_buffer=self.max_write_buffer_size,
            upgrades=self.upgrades,
        )

    @cached_property
    def recovery(self) -> RecoveryOptions | None:
        """What CONNECTION_STATE_RECOVERY wants; None where it is off."""
        return read_options(self.connection_state_recovery)

    @cached_property
    def limits(self) -> Limits:
        """The limits of Socket.IO decoders."""
        return Limits(
            max_attachments=self.max_attachments,
            max_attachments_size=self.max_attachments_size,
            max_nesting_depth=self.max_nesting_depth,
            max_event_name_length=self.max_event_name_length,
            max_namespace_length=self.max_namespace_length,
            max_json_values=self.max_json_values,
            max_auth_size=self.max_auth_size,
            max_eager_length=LARGE,
        )

    @cached_property
    def codec(self) -> JSONCodec:
        """The JSON library in use."""
        return default_codec() if self.json is None else import_string(self.json)()

    @cached_property
    def encoder(self) -> Encoder:
        """An encoder of packets that takes the same types as Django's JSON encoder."""
        return Encoder(self.codec, DjangoJSONEncoder().default)

    @cached_property
    def own_parser(self) -> Parser | None:
        """The parser that takes the place of the default one, if any does."""
        if self.parser == "default":
            return None
        if self.parser == "msgpack":
            return MsgpackParser(self.limits)
        own: Parser = import_string(self.parser)()
        return own

    def new_decoder(self, revision: int = 5) -> Decoder | CheckedDecoder:
        """Return the decoder of a new connection; ``revision`` is that of Socket.IO, 5 or 4."""
        parser = self.own_parser
        if parser is None:
            make = Decoder if revision == 5 else Decoder4
            return make(self.codec, self.limits)
        decoder = parser.decoder()
        if revision == 4:
            decoder = QueryDecoder(decoder, self.limits)
        return CheckedDecoder(decoder, self.limits, isinstance(parser, MsgpackParser))

    @cached_property
    def proxies(self) -> int | list[IPv4Network | IPv6Network]:
        """The proxies whose X-Forwarded-For is believed: how many, or their networks."""
        trusted = self.trusted_proxies
        return trusted if isinstance(trusted, int) else [ip_network(text) for text in trusted]

    @cached_property
    def compression_threshold(self) -> int | None:
        """The size in bytes from which the answer to a poll is compressed, None for never."""
        if isinstance(self.http_compression, dict):
            return self.http_compression.get("THRESHOLD", 1024)
        return 1024 if self.http_compression else None

    @cached_property
    def compression_level(self) -> int:
        """How much time zlib takes for a small result, from 0 to 9."""
        wanted = self.http_compression
        return wanted.get("LEVEL", 6) if isinstance(wanted, dict) else 6

    @cached_property
    def request_filter(self) -> Callable[..., Any] | None:
        """What ALLOW_REQUEST names."""
        wanted = self.allow_request
        function: Callable[..., Any] | None
        function = import_string(wanted) if isinstance(wanted, str) else wanted
        return function

    @cached_property
    def origin_patterns(self) -> tuple[re.Pattern[str], ...]:
        """The items of CORS_ALLOWED_ORIGINS that are no plain origins."""
        listed = self.cors_allowed_origins
        return tuple(filter(None, map(as_pattern, () if listed == "*" else listed)))

    def bake_cookie(self, sid: str) -> str | None:
        """Return the handshake's Set-Cookie header, None if the settings want no cookie."""
        if not self.cookie:
            return None
        return bake({} if self.cookie is True else self.cookie, sid)
