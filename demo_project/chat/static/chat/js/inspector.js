// The word in the corner, and the popover behind it: how this page is connected, and to whom.

import { $ } from "./page.js";
import { serverProcess, socket } from "./socket.js";
import { clockTime } from "./times.js";

const EVERY = 2000;
const TRANSPORTS = { websocket: "WebSocket", polling: "HTTP long-polling" };

export class Inspector {
  #connections = 0;
  #timer;

  constructor() {
    // Above its button, wherever the text field has pushed that.
    $("inspector").addEventListener("beforetoggle", ({ target }) => {
      const { right, top } = $("transport").getBoundingClientRect();
      target.style.right = `${document.documentElement.clientWidth - right}px`;
      target.style.bottom = `${window.innerHeight - top + 8}px`;
    });
    $("inspector").addEventListener("toggle", ({ newState }) => {
      clearInterval(this.#timer);
      if (newState !== "open") return;
      this.#measure();
      this.#timer = setInterval(() => this.#measure(), EVERY);
    });
  }

  connected() {
    this.#connections += 1;
    $("since").textContent = clockTime(new Date());
    $("reconnections").textContent = this.#connections - 1;
    const { engine } = socket.io;
    this.#showTransport(engine.transport.name);
    engine.on("upgrade", (transport) => this.#showTransport(transport.name));
    this.#measure();
  }

  disconnected(word) {
    $("transport").dataset.state = "offline";
    $("transport-text").textContent = word;
    for (const id of ["transport-name", "ping", "process", "since"]) $(id).textContent = "–";
  }

  #showTransport(name) {
    if (!socket.connected) return;
    $("transport").dataset.state = name;
    $("transport-text").textContent = "Connected";
    $("transport-name").textContent = TRANSPORTS[name] ?? name;
  }

  /** Ask the server who it is, and take the time. */
  async #measure() {
    if (!socket.connected || !$("inspector").matches(":popover-open")) return;
    const asked = performance.now();
    try {
      const process = await serverProcess();
      const took = performance.now() - asked;
      if (!socket.connected) return;
      $("ping").textContent = `${took < 10 ? took.toFixed(1) : Math.round(took)} ms`;
      $("process").textContent = process;
    } catch {
      $("ping").textContent = "no answer";
    }
  }
}
