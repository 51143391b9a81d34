// Keep the newest message in view, but only for those who are looking at it.

import { $ } from "./page.js";

const NEAR = 60;

export class Scroller {
  #log = $("log");
  #pill = $("pill");
  #atBottom = true;
  #unseen = 0;

  constructor() {
    this.#log.addEventListener("scroll", () => this.#look(), { passive: true });
    this.#pill.addEventListener("click", () => {
      this.toBottom();
      this.#log.focus({ preventScroll: true });
    });
    // The keyboard of a phone, a growing text field, an image preview: the end stays in view.
    const sizes = new ResizeObserver(() => this.#atBottom && this.toBottom());
    sizes.observe(this.#log);
    sizes.observe($("messages"));
  }

  toBottom() {
    this.#atBottom = true;
    this.#log.scrollTop = this.#log.scrollHeight;
    this.#showPill();
  }

  /** A message from somebody else was added at the end. */
  noticeNew() {
    if (this.#atBottom) this.toBottom();
    else this.#unseen += 1;
    this.#showPill();
  }

  /** Add messages above the ones in view without moving those. */
  keepInPlace(change) {
    const below = this.#log.scrollHeight - this.#log.scrollTop;
    change();
    this.#log.scrollTop = this.#log.scrollHeight - below;
  }

  #look() {
    const { scrollHeight, scrollTop, clientHeight } = this.#log;
    this.#atBottom = scrollHeight - scrollTop - clientHeight < NEAR;
    this.#showPill();
  }

  #showPill() {
    if (this.#atBottom) this.#unseen = 0;
    const many = this.#unseen === 1 ? "1 new message" : `${this.#unseen} new messages`;
    $("pill-text").textContent = this.#unseen ? many : "To the newest";
    this.#pill.classList.toggle("has-new", this.#unseen > 0);
    this.#pill.hidden = this.#atBottom;
  }
}
