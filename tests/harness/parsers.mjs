// Clients that speak with another parser than the default one, as Node modules.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
// What the client depends on is found from its own place.
const nearClient = createRequire(require.resolve("socket.io-client"));
const nearEngine = createRequire(nearClient.resolve("engine.io-client"));

const BUNDLE = "dist/socket.io.msgpack.min.js";

class FileReader {
  async readAsDataURL(blob) {
    this.result = `data:,${Buffer.from(await blob.arrayBuffer()).toString("base64")}`;
    this.onload();
  }
}

// The bundle for browsers with socket.io-msgpack-parser in it, and what a browser has.
export function msgpack() {
  const dist = require.resolve("socket.io-client/package.json").replace("package.json", BUNDLE);
  const { XMLHttpRequest } = nearEngine("xmlhttprequest-ssl");
  const WebSocket = nearEngine("ws");
  const self = { XMLHttpRequest, WebSocket, setTimeout, clearTimeout };
  const bundle = { exports: {} };
  const names = ["module", "exports", "self", "XMLHttpRequest", "FileReader"];
  const load = new Function(...names, readFileSync(dist, "utf8"));
  load(bundle, bundle.exports, self, XMLHttpRequest, FileReader);
  return bundle.exports;
}

// As in "Implementing your own parser" of https://socket.io/docs/v4/custom-parser/: a packet is the
// JSON of all of it.
export function json() {
  const { io } = require("socket.io-client");
  const { Emitter } = nearClient("@socket.io/component-emitter");

  class Encoder {
    encode(packet) {
      return [JSON.stringify(packet)];
    }
  }

  class Decoder extends Emitter {
    add(chunk) {
      const packet = JSON.parse(chunk);
      if (!Number.isInteger(packet.type) || typeof packet.nsp !== "string") {
        throw new Error("invalid format");
      }
      this.emit("decoded", packet);
    }

    destroy() {}
  }

  return (url, options) => io(url, { ...options, parser: { Encoder, Decoder } });
}
