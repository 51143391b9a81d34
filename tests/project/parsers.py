"""A parser of a project's own: a packet is the JSON of all of it, without binary data."""

from __future__ import annotations

import json

from django_socketio.packets import Packet


class JSONParser:
    def encode(self, packet: Packet) -> list[str | bytes]:
        value = {"type": int(packet.type), "nsp": packet.namespace, "data": packet.data}
        if packet.data is None:
            del value["data"]
        if packet.id is not None:
            value["id"] = packet.id
        return [json.dumps(value)]

    def decoder(self) -> JSONDecoder:
        return JSONDecoder()


class JSONDecoder:
    def feed(self, data: str | bytes) -> Packet | None:
        value = json.loads(data)
        return Packet(str(value["type"]), value["nsp"], value.get("data"), value.get("id"))
