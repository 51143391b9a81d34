// The field at the bottom: text, an image picked, pasted or dropped, and the news that one is typing.

import { prepareImage } from "./images.js";
import { $, page } from "./page.js";

const TYPING_EVERY = 2000;
const DRAFT = `draft ${page.me.id} ${page.room.slug}`;
const byTouch = window.matchMedia("(pointer: coarse)");

export class Composer {
  #text = $("text");
  #image = null;
  #onSend;
  #onTyping;
  #toldTypingAt = 0;

  constructor({ onSend, onTyping }) {
    this.#onSend = onSend;
    this.#onTyping = onTyping;
    this.#text.value = sessionStorage.getItem(DRAFT) ?? "";
    this.#changed();
    this.#listen();
    if (!byTouch.matches) this.#text.focus();
  }

  #listen() {
    $("composer").addEventListener("submit", (submitting) => {
      submitting.preventDefault();
      this.#send();
    });
    this.#text.addEventListener("input", () => {
      this.#changed();
      this.#tellTyping();
    });
    this.#text.addEventListener("blur", () => this.#tellStopped());
    // Enter sends, on phones too, where the key says so (enterkeyhint); Shift makes it a new line.
    // Where Enter ends the composition of a word, no line break is asked for.
    let shift = false;
    this.#text.addEventListener("keydown", (key) => (shift = key.shiftKey));
    this.#text.addEventListener("beforeinput", (input) => {
      if (input.inputType !== "insertLineBreak" || shift) return;
      input.preventDefault();
      this.#send();
    });
    this.#text.addEventListener("paste", (pasting) => {
      const file = firstImage(pasting.clipboardData);
      if (!file) return;
      pasting.preventDefault();
      this.#take(file);
    });
    $("file").addEventListener("change", ({ target }) => {
      if (target.files[0]) this.#take(target.files[0]);
      target.value = "";
    });
    $("preview-remove").addEventListener("click", () => {
      URL.revokeObjectURL(this.#image.url);
      this.#show(null);
      this.#text.focus();
    });
    this.#listenForDrops($("conversation"), $("drop"));
  }

  #listenForDrops(area, curtain) {
    const holdsFiles = (drag) => drag.dataTransfer?.types.includes("Files");
    area.addEventListener("dragenter", (drag) => (curtain.hidden = !holdsFiles(drag)));
    area.addEventListener("dragover", (drag) => holdsFiles(drag) && drag.preventDefault());
    // The curtain covers the area, so that leaving it is leaving the area.
    curtain.addEventListener("dragleave", () => (curtain.hidden = true));
    area.addEventListener("drop", (drop) => {
      curtain.hidden = true;
      if (!holdsFiles(drop)) return;
      drop.preventDefault();
      if (drop.dataTransfer.files[0]) this.#take(drop.dataTransfer.files[0]);
    });
  }

  async #take(file) {
    this.#complain("");
    try {
      this.#show(await prepareImage(file));
      this.#text.focus();
    } catch (error) {
      this.#complain(error.message);
    }
  }

  #show(image) {
    this.#image = image;
    $("preview").hidden = !image;
    if (image) {
      $("preview-image").src = image.url;
      const size = Math.max(1, Math.round(image.bytes.byteLength / 1000));
      $("preview-info").textContent = `${image.width} × ${image.height}, ${size} KB`;
    } else {
      $("preview-image").removeAttribute("src");
    }
    this.#changed();
  }

  #send() {
    const text = this.#text.value.trim();
    if (!text && !this.#image) return;
    this.#tellStopped();
    this.#onSend({ text, image: this.#image });
    this.#text.value = "";
    this.#complain("");
    this.#show(null);
    this.#text.focus();
  }

  #changed() {
    const { value } = this.#text;
    this.#text.style.height = "auto";
    this.#text.style.height = `${this.#text.scrollHeight}px`;
    $("send").disabled = !value.trim() && !this.#image;
    const left = page.limits.text - value.length;
    $("left").hidden = left > 200;
    $("left").textContent = left;
    try {
      sessionStorage.setItem(DRAFT, value);
    } catch {
      // No storage in this browser: the draft lives as long as the page.
    }
  }

  #complain(text) {
    $("notice").textContent = text;
  }

  #tellTyping() {
    if (!this.#text.value.trim()) return this.#tellStopped();
    if (Date.now() - this.#toldTypingAt < TYPING_EVERY) return;
    this.#toldTypingAt = Date.now();
    this.#onTyping(true);
  }

  #tellStopped() {
    if (!this.#toldTypingAt) return;
    this.#toldTypingAt = 0;
    this.#onTyping(false);
  }
}

const firstImage = (data) => [...(data?.files ?? [])].find((file) => file.type.startsWith("image/"));
