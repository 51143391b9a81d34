// Messages on their way. Each is sent until the server has acknowledged it, one after the other, so
// that their order holds. The server knows a message by its `uid`: sent twice, it is saved once.

import { page } from "./page.js";
import { say, socket } from "./socket.js";

const STORE = `outbox ${page.me.id} ${page.room.slug}`;

export class Outbox {
  #queue = [];
  #sending = false;
  #onSaved;
  #onRefused;

  constructor({ onRestored, onSaved, onRefused }) {
    this.#onSaved = onSaved;
    this.#onRefused = onRefused;
    for (const entry of restore()) {
      this.#queue.push(entry);
      onRestored(entry);
    }
    window.addEventListener("beforeunload", (leaving) => {
      // Texts are kept for the next visit, images are too large for that.
      if (this.#queue.some((entry) => entry.image)) leaving.preventDefault();
    });
  }

  /** Take a message: `{text, image}`, where `image` is null or has `bytes` and how to show it. */
  add({ text, image }) {
    const entry = { uid: uuid(), text, image, at: new Date().toISOString() };
    this.#queue.push(entry);
    this.#keep();
    this.flush();
    return entry;
  }

  /** The server has this message: its acknowledgement was lost, but the message is in the history. */
  settle(uid) {
    this.#queue = this.#queue.filter((entry) => entry.uid !== uid);
    this.#keep();
  }

  /** Send what waits. Called after every message and on every connection. */
  async flush() {
    if (this.#sending) return;
    this.#sending = true;
    while (this.#queue.length && socket.connected) {
      const { uid, text, image } = this.#queue[0];
      let answer;
      try {
        answer = await say(uid, text, image ? image.bytes : null);
      } catch {
        continue; // no acknowledgement: once more, when there is a connection
      }
      this.settle(uid);
      if (answer.error) this.#onRefused(uid, answer.error);
      else this.#onSaved(answer);
    }
    this.#sending = false;
  }

  #keep() {
    const texts = this.#queue.filter((entry) => !entry.image);
    try {
      sessionStorage.setItem(STORE, JSON.stringify(texts));
    } catch {
      // No storage in this browser: the messages live as long as the page.
    }
  }
}

function restore() {
  try {
    return JSON.parse(sessionStorage.getItem(STORE)) ?? [];
  } catch {
    return [];
  }
}

// crypto.randomUUID exists on https and localhost only.
function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
