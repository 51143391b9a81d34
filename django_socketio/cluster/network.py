"""This process among others: what a hub tells them and does for them, over the bus."""

from __future__ import annotations

import asyncio
import json
import random
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING, Any

from ..addressing.rooms import Room
from ..addressing.target import Target, name_from_wire, name_to_wire, room_key
from ..logs import logger
from ..packets import Decoder, EncodedPacket, Limits, PacketError
from ..runtime.patience import Patience
from ..server.remote import RemoteSocket
from ..signals import server_event
from ..sockets.acks import Outcome, Question, as_arguments, as_result
from ..sockets.frames import make_frames
from ..stats import counters
from ..stats.reports import make_report
from . import Bus, Kind, Peers, group_name
from .bus import Taken
from .inquiry import Inquiry
from .messages import EVERYONE
from .tunnels import Accept, Tunnels

if TYPE_CHECKING:
    from ..server.hub import Hub

# Characters of a node's id, with which every sid of that process begins.
NODE_LENGTH = 8
SID_LENGTH = 28
# How long fetch_sockets waits for other processes, as Node's requestsTimeout.
FETCH_TIMEOUT = 5.0
# What a question may take beyond its own timeout, on the way.
GRACE = 1.0
# How long the peers' answers to a first greeting may take, when all are asked and when one is
# looked for; and how long a client waits until that greeting is said.
SETTLE_TIME = 0.3
MEETING_TIME = 0.8
GREETING_TIME = 1.0
# How soon it is looked again whether another process has been silent for too long.
LEAST_PAUSE = 0.01
# How many ids of operations that were sent to several groups are remembered.
REMEMBERED = 10_000

# How long after a sockets_join() the other processes may need to join the rooms' groups, and how
# many such rooms are remembered.
JOINING_TIME = 5.0
MAX_JOINING = 10_000

VOLATILE, UNCOMPRESSED = 1, 2

# What another process of ours has encoded is decoded without the limits for clients.
_UNLIMITED = Limits(10**9, 10**12, 10**6, 10**9, 10**9)


class Network:
    """See the module's docstring. All methods are called on the hub's own thread."""

    def __init__(self, hub: Hub, layer: Any, serve: Accept | None = None) -> None:
        settings = hub.settings
        self.hub = hub
        self.peers = Peers(settings.heartbeat_timeout)
        self.bus = Bus(layer, hub.node, self._receive, self._lost, settings.max_layer_buffer_size)
        self.tunnels = Tunnels(
            self.to_node, self.meet, self.peers.last_sign, hub.spawn, accept=serve
        )
        self._numbers = count(1)
        self._inquiries: dict[int, Inquiry] = {}
        self._seen: OrderedDict[tuple[str, int], None] = OrderedDict()
        # Rooms that sockets elsewhere have just been told to join: what is sent there meanwhile
        # goes to the whole namespace, so that it takes effect in calling order.
        self._joining: OrderedDict[tuple[str, Room], tuple[Taken, float]] = OrderedDict()
        # The last heartbeat, and the other ends of tunnels when it was sent.
        self._said: Taken | None = None
        self._tunnelled: set[str] = set()
        self._settled = asyncio.Event()
        # Set when the others can have heard of us, or cannot for now.
        self._greeted = asyncio.Event()
        # Until the others have had the time for a heartbeat; and set whenever one is new to us.
        self._new = True
        self._met = asyncio.Event()
        # Those that were taken for dead, as it may turn out wrongly; the last of them.
        self._given_up: dict[str, None] = {}
        self._heart: asyncio.Task[None] | None = None
        self._stopped = False
        self._refresh = getattr(layer, "group_expiry", None)
        # How long the layer may keep our own heartbeats from us; less than the others' patience.
        self._patience = settings.heartbeat_timeout / 4
        self._handlers: dict[int, Callable[..., None]] = {
            Kind.EMIT: self._on_emit,
            Kind.ACT: self._on_act,
            Kind.FETCH: self._on_fetch,
            Kind.FOUND: self._on_found,
            Kind.ASK: self._on_ask,
            Kind.ASKED: self._on_asked,
            Kind.ACKED: self._on_acked,
            Kind.DONE: self._on_done,
            Kind.SERVER_EVENT: self._on_server_event,
            Kind.SERVER_ANSWER: self._on_server_answer,
            Kind.HELLO: self._on_hello,
            Kind.BYE: self._on_bye,
            Kind.PULSE: self._on_pulse,
            Kind.REPORT: self._on_report,
            Kind.REPORTED: self._on_reported,
            Kind.STRANGER: self.tunnels.break_tunnels,
            **self.tunnels.handlers,
        }

    # Life

    def start(self, listen: bool) -> None:
        """Join the others; without ``listen`` only to tell them something, until one is asked."""
        self.bus.start()
        if listen:
            self._listen()

    @property
    def listening(self) -> bool:
        """Whether the others can reach this process."""
        return self._heart is not None

    def _listen(self) -> None:
        if self._heart is None:
            self.bus.listen()
            self._heart = self.hub.loop.create_task(self._beat())
            self.hub.loop.call_later(GREETING_TIME, self._greeted.set)

    async def stop(self, timeout: float = 1.0) -> None:
        """Say goodbye to the others and send what waits."""
        if self._stopped:
            return
        self._stopped = True
        self.tunnels.break_all_tunnels()
        if self._heart is not None:
            self._heart.cancel()
            self.bus.to_group(EVERYONE, [Kind.BYE])
            self.bus.leave(EVERYONE)
        await self.bus.stop(timeout)

    async def settled(self) -> None:
        """Wait until the others have had time to answer the first greeting."""
        if not self._settled.is_set():
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._settled.wait(), 1.0 + SETTLE_TIME)

    async def greeted(self) -> None:
        """Wait until the others can have heard of this process: a client's next request may reach
        them. Not for long, though, where the layer is down.
        """
        await self._greeted.wait()

    async def meet(self, node: str) -> bool:
        """Whether a process is known.

        One that is new has greeted before it served anybody: its greeting comes before our echo.
        One that we are too new to know gets a moment to answer ours.
        """
        if node in self.peers:
            return True
        patience = Patience(MEETING_TIME)
        echo = self.bus.echo() if self.bus.up else None
        while node not in self.peers and echo is not None and not echo.done and patience:
            await patience.wait(echo)
        while node not in self.peers and self._new and patience:
            self._met.clear()
            await patience.wait(self._met.wait())
        return node in self.peers

    def successor(self) -> str | None:
        """A process that may take a new client in place of this one, which ends."""
        nodes = [] if self._stopped else list(self.peers.nodes())
        return random.choice(nodes) if nodes else None  # noqa: S311 - any will do

    async def _beat(self) -> None:
        """Tell the others every few seconds that we are here; notice when one is not."""
        hub, bus = self.hub, self.bus
        await self._greet()
        refreshed = due = hub.loop.time()
        echo: Taken | None = None
        while True:
            interval = self.interval
            asleep = hub.loop.time()
            if due <= asleep:
                due = asleep + interval
            # Not only when the next heartbeat is due: who is dead is missed in time.
            pause = max(min(due - asleep, self.peers.patience(asleep)), LEAST_PAUSE)
            await asyncio.sleep(pause)
            now = hub.loop.time()
            if now - asleep - pause > hub.settings.heartbeat_timeout:
                logger.warning("this process was stopped for %.0f s", now - asleep)
                self.tunnels.break_all_tunnels()
            for node in self.peers.expire(now, pause):
                logger.warning("process %s has not been heard of and is taken for dead", node)
                self._forget(node)
                self._given_up[node] = None
                if len(self._given_up) > REMEMBERED:
                    del self._given_up[next(iter(self._given_up))]
            if now < due:
                continue
            if echo is None:
                echo = bus.echo()
            elif echo.done:
                self._new = False
            if self._said is None or self._said.done:
                self._said = self._hello(wanted=False)
                self._tunnelled = self.tunnels.nodes()
                for node in self._tunnelled:
                    self.to_node(node, [Kind.PULSE, True])
            if self._refresh is not None and now - refreshed > self._refresh / 3:
                refreshed = now
                bus.rejoin()
            elif bus.up and now - bus.echoed_at > max(1.5 * interval, self._patience):
                # The layer works, but does not bring us what we send to everyone: it was flushed.
                bus.echoed_at = now
                counters.layer.add("rejoined")
                bus.rejoin()

    async def _greet(self) -> None:
        await self.bus.join(EVERYONE)
        self.bus.echoed_at = self.hub.loop.time()
        await self._hello(wanted=True)
        self._greeted.set()
        await asyncio.sleep(SETTLE_TIME)
        self._settled.set()

    @property
    def interval(self) -> float:
        """Seconds between heartbeats; longer among many, so that they stay cheap."""
        return max(self.hub.settings.heartbeat_interval, len(self.peers) / 20)

    def _hello(self, wanted: bool) -> Taken:
        return self.bus.to_group(
            EVERYONE, [Kind.HELLO, self.bus.channel or "", self.interval, wanted]
        )

    def _forget(self, node: str) -> None:
        """A peer has gone, in whatever way."""
        self.tunnels.break_tunnels(node)
        for inquiry in list(self._inquiries.values()):
            inquiry.died(node)

    # Where things are

    def owner(self, sid: str) -> str | None:
        """The process that an sid names, known or not; None for text that is no sid."""
        return sid[:NODE_LENGTH] if len(sid) == SID_LENGTH else None

    def to_node(self, node: str, operation: list[Any], size: int = 0) -> Taken | None:
        """Send an operation to one process; None where it is not known."""
        channel = self.peers.channel(node)
        return None if channel is None else self.bus.to_channel(channel, operation, size)

    def enter(self, namespace: str, room: Room | None) -> Taken:
        """The first local socket is in a room (None: in the namespace)."""
        return self.bus.join(_group(namespace, room))

    def leave(self, namespace: str, room: Room | None) -> None:
        """The last local socket has left."""
        self.bus.leave(_group(namespace, room))

    def _send(
        self, target: Target, make: Callable[[int], list[Any]], size: int = 0
    ) -> Taken | None:
        """Send an operation to the processes that may have sockets of the target."""
        groups: list[str] = []
        channels: list[str] = []
        if not target.namespace:
            groups.append(EVERYONE)
        elif not target.rooms:
            groups.append(_group(target.namespace, None))
        for room in target.rooms if target.namespace else ():
            owner = self.owner(room) if isinstance(room, str) else None
            if owner == self.hub.node:
                continue
            channel = None if owner is None else self.peers.channel(owner)
            if channel is not None:
                channels.append(channel)
            elif owner is not None and not self.listening:
                groups.append(EVERYONE)  # who does not listen knows nobody's channel
            elif self._joining and self._is_joined(target.namespace, room):
                groups.append(_group(target.namespace, None))
            else:
                groups.append(_group(target.namespace, room))
        several = len(groups) + len(channels) > 1
        operation = make(next(self._numbers) if several else 0)
        taken = None
        for channel in dict.fromkeys(channels):
            taken = self.bus.to_channel(channel, operation, size)
        for group in dict.fromkeys(groups):
            taken = self.bus.to_group(group, operation, size)
        return taken

    # What is told

    def emit(
        self, target: Target, packet: EncodedPacket, compress: bool, volatile: bool
    ) -> Taken | None:
        """Send an event to the target's sockets elsewhere."""
        if volatile and self.bus.congested:
            counters.layer.add("volatile dropped")
            return None
        flags = (VOLATILE if volatile else 0) | (0 if compress else UNCOMPRESSED)
        rest = [*target.to_wire(), flags, packet.text, list(packet.attachments)]
        size = len(packet.text) + sum(map(len, packet.attachments))
        return self._send(target, lambda number: [Kind.EMIT, number, *rest], size)

    def act(self, target: Target, action: str, names: list[str]) -> Taken | None:
        """Make the target's sockets elsewhere do something; see :meth:`Hub.act`."""
        rest = [*target.to_wire(), action, [name_to_wire(name) for name in names]]
        taken = self._send(target, lambda number: [Kind.ACT, number, *rest])
        if action == "join" and taken is not None:
            for name in names:
                self._joining[target.namespace, name] = taken, self.hub.loop.time()
                self._joining.move_to_end((target.namespace, name))
            while len(self._joining) > MAX_JOINING:
                self._joining.popitem(last=False)
        return taken

    def _is_joined(self, namespace: str, room: Room) -> bool:
        """Whether sockets elsewhere have just been told to join a room."""
        taken, since = self._joining.get((namespace, room), (None, 0.0))
        if taken is None:
            return False
        if taken.done and self.hub.loop.time() - since > JOINING_TIME:
            del self._joining[namespace, room]
            return False
        return True

    # What is asked

    async def _inquire(
        self, target: Target, make: Callable[[int], list[Any]], timeout: float, size: int = 0
    ) -> Inquiry:
        """Ask the processes that may have sockets of the target, and wait for their answers."""
        room = target.rooms[0] if len(target.rooms) == 1 else None
        node = self.owner(room) if isinstance(room, str) else None
        nodes: set[str] = set()
        if node != self.hub.node:
            self._listen()
            await self.settled()
            nodes = {node} if node is not None and node in self.peers else self.peers.nodes()
        number = next(self._numbers)
        inquiry = self._inquiries[number] = Inquiry(nodes, self.hub.loop)
        try:
            operation = make(number)
            if len(nodes) == 1:
                self.to_node(next(iter(nodes)), operation, size)
            elif nodes:
                self.bus.to_group(EVERYONE, operation, size)
            await inquiry.wait(timeout)
        finally:
            del self._inquiries[number]
        if inquiry.waiting:
            logger.warning("no answer from process(es) %s", ", ".join(sorted(inquiry.waiting)))
        return inquiry

    async def fetch(self, target: Target) -> tuple[list[RemoteSocket], set[str]]:
        """The target's sockets elsewhere, and the processes that did not answer."""
        wire = target.to_wire()
        inquiry = await self._inquire(
            target, lambda number: [Kind.FETCH, number, *wire], FETCH_TIMEOUT
        )
        return [socket for part in inquiry.found for socket in part], inquiry.waiting

    async def ask(
        self,
        target: Target,
        around_id: tuple[str, str],
        attachments: tuple[bytes, ...],
        compress: bool,
        timeout: float,
    ) -> Outcome:
        """Put a question to the target's clients elsewhere."""
        rest = [
            *target.to_wire(),
            0 if compress else UNCOMPRESSED,
            *around_id,
            list(attachments),
            timeout,
        ]
        size = len(around_id[1]) + sum(map(len, attachments))
        inquiry = await self._inquire(
            target, lambda number: [Kind.ASK, number, *rest], timeout + GRACE, size
        )
        return Outcome(inquiry.found, inquiry.gone, inquiry.silent)

    def server_emit(self, namespace: str, packet: EncodedPacket) -> Taken:
        """Send Django's signal ``server_event`` on the other processes."""
        operation = [Kind.SERVER_EVENT, 0, namespace, packet.text, list(packet.attachments)]
        return self.bus.to_group(EVERYONE, operation, len(packet.text))

    async def server_call(
        self, namespace: str, packet: EncodedPacket, timeout: float
    ) -> tuple[list[Any], set[str]]:
        """As :meth:`server_emit`; what the receivers returned, and who did not answer."""
        rest = [namespace, packet.text, list(packet.attachments)]
        inquiry = await self._inquire(
            Target(""), lambda number: [Kind.SERVER_EVENT, number, *rest], timeout
        )
        return [answer for part in inquiry.found for answer in part], inquiry.waiting

    async def gather(
        self, subject: str, params: dict[str, Any], timeout: float
    ) -> tuple[dict[str, Any], set[str]]:
        """What other processes report (see :mod:`.report`), by process; who did not answer."""
        text = json.dumps(params)
        inquiry = await self._inquire(
            Target(""), lambda number: [Kind.REPORT, number, subject, text], timeout
        )
        return dict(inquiry.found), inquiry.waiting

    # What comes in

    def _receive(self, sender: str, operation: list[Any]) -> None:
        kind, *items = operation
        self.peers.sign(sender, self.hub.loop.time())
        try:
            self._handlers[kind](sender, *items)
        except Exception:
            counters.layer.add("malformed")
            logger.exception("an operation of process %s could not be carried out", sender)

    def _lost(self, sender: str, group: str) -> None:
        if not group:
            self.tunnels.break_tunnels(sender)

    def _again(self, sender: str, number: int) -> bool:
        """Whether an operation that was sent to several groups has come before."""
        if not number:
            return False
        if (sender, number) in self._seen:
            return True
        self._seen[sender, number] = None
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return False

    def _on_emit(
        self,
        sender: str,
        number: int,
        namespace: str,
        rooms: list[Any],
        exclude: list[Any],
        flags: int,
        text: str,
        attachments: list[Any],
    ) -> None:
        if not self._again(sender, number):
            packet = _packet(text, attachments)
            target = Target.from_wire(namespace, rooms, exclude)
            self.hub.emit_locally(target, packet, not flags & UNCOMPRESSED, bool(flags & VOLATILE))

    def _on_act(
        self,
        sender: str,
        number: int,
        namespace: str,
        rooms: list[Any],
        exclude: list[Any],
        action: str,
        names: list[Any],
    ) -> None:
        if not self._again(sender, number):
            wanted = [name_from_wire(name) for name in names]
            self.hub.act_locally(Target.from_wire(namespace, rooms, exclude), action, wanted)

    def _on_fetch(
        self, sender: str, number: int, namespace: str, rooms: list[Any], exclude: list[Any]
    ) -> None:
        sockets = self.hub.describe(Target.from_wire(namespace, rooms, exclude))
        encoder = self.hub.encoder
        text = encoder.json([socket.as_dict() for socket in sockets])
        self.to_node(sender, [Kind.FOUND, number, text], len(text))

    def _on_found(self, sender: str, number: int, text: str) -> None:
        inquiry = self._inquiries.get(number)
        if inquiry is not None:
            inquiry.answered(sender, [RemoteSocket.from_dict(item) for item in json.loads(text)])
            inquiry.finished(sender)

    def _on_report(self, sender: str, number: int, subject: str, params: str) -> None:
        if self.hub.serves:
            answer = make_report(self.hub, subject, json.loads(params))
            text = self.hub.encoder.json(answer)
            self.to_node(sender, [Kind.REPORTED, number, text], len(text))
        else:
            self.to_node(sender, [Kind.REPORTED, number, "null"])

    def _on_reported(self, sender: str, number: int, text: str) -> None:
        inquiry = self._inquiries.get(number)
        if inquiry is not None:
            answer = json.loads(text)
            if answer is not None:  # a process that serves nobody
                inquiry.answered(sender, (sender, answer))
            inquiry.finished(sender)

    def _on_ask(
        self,
        sender: str,
        number: int,
        namespace: str,
        rooms: list[Any],
        exclude: list[Any],
        flags: int,
        before: str,
        after: str,
        attachments: list[Any],
        timeout: float,
    ) -> None:
        target = Target.from_wire(namespace, rooms, exclude)
        question = Question(next(self.hub.ack_ids))
        packet = _packet(f"{before}{question.ack_id}{after}", attachments)
        self.hub.spawn(
            self._ask_for(sender, number, target, question, packet, flags, min(timeout, 3600.0))
        )

    async def _ask_for(
        self,
        sender: str,
        number: int,
        target: Target,
        question: Question,
        packet: EncodedPacket,
        flags: int,
        timeout: float,
    ) -> None:
        """Put another process's question to our sockets; pass on each answer as it comes."""
        encoder = self.hub.encoder

        def pass_on(answer: Any) -> None:
            ack = encoder.ack("/", as_arguments(answer), 0)
            self.to_node(sender, [Kind.ACKED, number, ack.text, list(ack.attachments)])

        sockets = self.hub.select(target)
        self.to_node(sender, [Kind.ASKED, number, len(sockets)])
        question.on_answer = pass_on
        frames = make_frames(packet, not flags & UNCOMPRESSED)
        outcome = await question.ask(sockets, frames, timeout)
        self.to_node(sender, [Kind.DONE, number, outcome.gone, outcome.silent])

    def _on_asked(self, sender: str, number: int, sockets: int) -> None:
        if number in self._inquiries:
            self._inquiries[number].asked(sender, sockets)

    def _on_acked(self, sender: str, number: int, text: str, attachments: list[Any]) -> None:
        if number in self._inquiries:
            self._inquiries[number].answered(sender, as_result(self._decode(text, attachments)))

    def _on_done(self, sender: str, number: int, gone: int, silent: int) -> None:
        if number in self._inquiries:
            self._inquiries[number].finished(sender, gone, silent)

    def _on_server_event(
        self, sender: str, number: int, namespace: str, text: str, attachments: list[Any]
    ) -> None:
        event, *args = self._decode(text, attachments)
        self.hub.spawn(self._announce(sender, number, namespace, event, args))

    async def _announce(
        self, sender: str, number: int, namespace: str, event: str, args: list[Any]
    ) -> None:
        answers = []
        for receiver, result in await self.hub.announce(
            server_event, sender=type(self), namespace=namespace, event=event, args=args
        ):
            if isinstance(result, Exception):
                logger.error("signal receiver %r failed", receiver, exc_info=result)
            else:
                answers.append(result)
        if number:
            ack = self.hub.encoder.ack("/", answers, 0)
            self.to_node(sender, [Kind.SERVER_ANSWER, number, ack.text, list(ack.attachments)])

    def _on_server_answer(
        self, sender: str, number: int, text: str, attachments: list[Any]
    ) -> None:
        inquiry = self._inquiries.get(number)
        if inquiry is not None:
            inquiry.answered(sender, self._decode(text, attachments))
            inquiry.finished(sender)

    def _on_hello(self, sender: str, channel: str, interval: float, wanted: bool) -> None:
        if self.peers.heard(sender, channel, interval, self.hub.loop.time()):
            logger.info("process %s has joined", sender)
            self._met.set()
            if sender in self._given_up:
                # The tunnels between us have been given up here.
                del self._given_up[sender]
                self.to_node(sender, [Kind.STRANGER])
        if wanted:
            self.to_node(sender, [Kind.HELLO, self.bus.channel or "", self.interval, False])

    def _on_pulse(self, sender: str, wanted: bool) -> None:
        # Its number in the sequence is what it tells; who has no tunnel does not pulse by itself.
        if wanted and sender not in self._tunnelled:
            self.to_node(sender, [Kind.PULSE, False])

    def _on_bye(self, sender: str) -> None:
        # Not so for one that is taken for dead: what it has sent meanwhile may be missing.
        self.bus.forget(sender)
        if self.peers.left(sender):
            self._forget(sender)

    def _decode(self, text: str, attachments: list[Any]) -> list[Any]:
        """The data of an encoded packet."""
        decoder = Decoder(self.hub.settings.codec, _UNLIMITED)
        try:
            packet = decoder.feed(text)
            for attachment in attachments:
                packet = decoder.feed(bytes(attachment))
        except PacketError as error:
            raise ValueError(str(error)) from None
        if packet is None:
            raise ValueError("attachments are missing")
        data: list[Any] = packet.data
        return data


def _group(namespace: str, room: Room | None) -> str:
    return group_name(namespace) if room is None else group_name(namespace, *room_key(room))


def _packet(text: str, attachments: list[Any]) -> EncodedPacket:
    """An encoded packet that has come over the layer."""
    if text[:1] not in ("2", "5") or not all(isinstance(data, bytes) for data in attachments):
        raise ValueError("not an encoded event")
    return EncodedPacket(text, tuple(attachments))
