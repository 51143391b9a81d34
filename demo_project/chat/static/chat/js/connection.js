// What the user is told of the connection: a banner when it is lost or ended, and why.

import { $, page } from "./page.js";
import { socket } from "./socket.js";

// Most connections are made faster than this. A banner would only flicker.
const QUIET = 1500;
const CHEER = 2500;
// Django ends the sockets of a session that logs out first, then the session.
const LOGOUT_TAKES = 1000;

export class Connection {
  #inspector;
  #timer;
  #wasLost = false;
  #isClosed = false;

  constructor(inspector) {
    this.#inspector = inspector;
    this.#later("Connecting…", QUIET);
    socket.on("connect", () => this.#connected());
    socket.on("disconnect", (reason) => {
      this.#away("Offline");
      // The client does not connect again by itself when the server has said goodbye.
      if (reason === "io server disconnect") this.#explain();
      else this.#lost();
    });
    socket.on("connect_error", (error) => {
      // An active socket tries again by itself; another one was refused.
      if (!socket.active) this.#explain(error.message);
      else if (!this.#wasLost) this.#lost();
    });
  }

  /** The room is gone: nothing brings this page back. */
  closed() {
    this.#isClosed = true;
    this.#end("This room has been closed.", "Go to another room", () => location.assign(page.urls.home));
  }

  #connected() {
    clearTimeout(this.#timer);
    document.body.classList.remove("is-offline");
    $("composer-row").inert = false;
    this.#inspector.connected();
    $("banner").hidden = !this.#wasLost;
    if (this.#wasLost) {
      this.#banner("You are back online.", "back");
      this.#timer = setTimeout(() => ($("banner").hidden = true), CHEER);
    }
    this.#wasLost = false;
  }

  #away(word) {
    document.body.classList.add("is-offline");
    this.#inspector.disconnected(word);
  }

  #lost() {
    this.#wasLost = true;
    this.#away("Reconnecting…");
    this.#later("Connection lost. Trying again… What you write is sent then.", 400);
  }

  /** The server has sent this page away, or did not let it in. Only the server knows why: ask. */
  async #explain(refusal) {
    if (refusal === "No such room") this.closed();
    if (this.#isClosed) return;
    this.#away("Disconnected");
    $("composer-row").inert = true;
    clearTimeout(this.#timer);
    let me = await whoAmI();
    if (me?.id === page.me.id) {
      await new Promise((done) => setTimeout(done, LOGOUT_TAKES));
      me = await whoAmI();
    }
    if (this.#isClosed || socket.connected) return;
    if (me && me.id === null) {
      this.#end("You have been logged out.", "Log in again", () => location.reload());
    } else if (me && me.id !== page.me.id) {
      this.#end(`This browser is logged in as ${me.name} now.`, "Reload", () => location.reload());
    } else if (refusal) {
      this.#end(`The server did not let this page in: ${refusal}`, "Try again", () => this.#return());
    } else {
      const why = me ? "An administrator has disconnected you." : "The server has ended the connection.";
      this.#end(why, "Come back", () => this.#return());
    }
  }

  #return() {
    this.#wasLost = true;
    this.#banner("Connecting…", "lost");
    socket.connect();
  }

  #end(text, action, act) {
    $("composer-row").inert = true;
    clearTimeout(this.#timer);
    this.#banner(text, "ended");
    const button = $("banner-action");
    button.textContent = action;
    button.onclick = act;
    button.hidden = false;
  }

  #later(text, delay) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#banner(text, "lost"), delay);
  }

  #banner(text, kind) {
    $("banner").dataset.kind = kind;
    $("banner-text").textContent = text;
    $("banner-action").hidden = true;
    $("banner").hidden = false;
  }
}

/** `{id, name}` of the user this browser is logged in as, `id` null for nobody; null if unknown. */
async function whoAmI() {
  try {
    const response = await fetch(page.urls.me, { cache: "no-store" });
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  }
}
