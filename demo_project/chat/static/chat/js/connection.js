// Tell the user how the connection is: a banner when it is lost, a word in the corner always.

import { $ } from "./page.js";

// Most connections are made faster than this. A banner would only flicker.
const QUIET = 1500;
const CHEER = 2500;

export class Connection {
  #timer;
  #wasLost = false;
  #ended = false;

  constructor(socket) {
    this.#later("Connecting…", "lost", QUIET);
    socket.on("connect", () => this.#connected(socket.io.engine));
    socket.on("disconnect", (reason) => this.#disconnected(reason));
    socket.on("connect_error", (error) => {
      if (!socket.active) this.#refused(error.message);
      else if (!this.#wasLost) this.#lost();
    });
  }

  /** The room is gone: nothing brings this page back. */
  closed() {
    this.#end("This room has been closed.", "Go to another room", "/");
  }

  #connected(engine) {
    clearTimeout(this.#timer);
    document.body.classList.remove("is-offline");
    this.#showTransport(engine.transport.name);
    engine.on("upgrade", (transport) => this.#showTransport(transport.name));
    if (this.#wasLost) {
      this.#banner("You are back online.", "back");
      this.#timer = setTimeout(() => ($("banner").hidden = true), CHEER);
    } else {
      $("banner").hidden = true;
    }
    this.#wasLost = false;
  }

  #disconnected(reason) {
    document.body.classList.add("is-offline");
    $("transport").dataset.state = "offline";
    $("transport-text").textContent = "offline";
    // The client does not connect again by itself when the server has said goodbye.
    if (reason === "io server disconnect") this.#refused("");
    else this.#lost();
  }

  #lost() {
    this.#wasLost = true;
    this.#later("Connection lost. Trying again… What you write is sent then.", "lost", 400);
  }

  #refused(message) {
    if (message === "No such room") this.closed();
    else this.#end(message || "You have been logged out.", "Log in again", location.href);
  }

  #end(text, action, url) {
    if (this.#ended) return;
    this.#ended = true;
    $("composer").inert = true;
    clearTimeout(this.#timer);
    this.#banner(text, "ended");
    $("banner-action").textContent = action;
    $("banner-action").href = url;
    $("banner-action").hidden = false;
  }

  #later(text, kind, delay) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#banner(text, kind), delay);
  }

  #banner(text, kind) {
    $("banner").dataset.kind = kind;
    $("banner-text").textContent = text;
    $("banner").hidden = false;
  }

  #showTransport(name) {
    $("transport").dataset.state = name;
    $("transport-text").textContent = name;
  }
}
