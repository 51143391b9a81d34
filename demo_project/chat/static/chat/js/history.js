// What was said before: the messages above, and those missed while the connection was lost.

import { $, page } from "./page.js";
import { messagesAfter, messagesBefore, socket, tellSeen } from "./socket.js";

export class History {
  #log;
  #scroller;
  #onMissed;
  // Every message up to this id is shown. Ids above it may have gaps while catching up.
  #known;
  #caughtUp = false;
  #sight;

  constructor(log, scroller, onMissed) {
    this.#log = log;
    this.#scroller = scroller;
    this.#onMissed = onMissed;
    page.history.messages.forEach((message) => log.add(message));
    this.#known = log.lastId;
    this.#offerEarlier(page.history.more);
    $("earlier").addEventListener("click", () => this.#loadEarlier());
    this.#sight = new IntersectionObserver(
      (entries) => entries.at(-1).isIntersecting && this.#loadEarlier(),
      { root: $("log") },
    );
    this.#sight.observe($("earlier"));
    socket.on("disconnect", () => (this.#caughtUp = false));
  }

  get known() {
    return this.#known;
  }

  /** A message came over the socket. */
  follow(id) {
    if (this.#caughtUp) this.#known = Math.max(this.#known, id);
  }

  /** Fetch what was said since the last message known. Called on every connection. */
  async catchUp() {
    const connection = socket.id;
    try {
      for (let more = true; more; ) {
        const part = await messagesAfter(this.#known);
        for (const message of part.messages) {
          this.#onMissed(message);
          this.#known = message.id;
        }
        more = part.more;
      }
    } catch {
      // No answer. If the connection is gone, the next one starts here again.
      if (socket.connected && socket.id === connection) await this.catchUp();
      return;
    }
    this.#caughtUp = true;
    this.#known = Math.max(this.#known, this.#log.lastId);
    tellSeen(this.#known);
  }

  #offerEarlier(more) {
    $("earlier").hidden = !more;
  }

  async #loadEarlier() {
    const button = $("earlier");
    if (button.disabled || button.hidden || !socket.connected) return;
    button.disabled = true;
    try {
      const part = await messagesBefore(this.#log.firstId);
      // Old messages are not news: a screen reader does not read them out.
      $("log").setAttribute("aria-live", "off");
      this.#scroller.keepInPlace(() => {
        part.messages.forEach((message) => this.#log.add(message));
        this.#offerEarlier(part.more);
      });
      requestAnimationFrame(() => $("log").setAttribute("aria-live", "polite"));
    } catch {
      // No answer: the button is still there.
    }
    button.disabled = false;
    // Still in sight? Observing it anew tells.
    this.#sight.unobserve(button);
    this.#sight.observe(button);
  }
}
