// The list of messages: each shown once, in the order of their ids, the ones not yet saved last.

import { $, clone, hueOf, page, paintAvatar } from "./page.js";
import { isEmojiOnly, showText } from "./text.js";
import { clockTime, dayName, fullTime, sameDay } from "./times.js";

const GROUP_WITHIN = 5 * 60_000;
// What the ticks mean: in a word beside them, and in a sentence for who points at them.
const STATES = {
  sending: ["Sending", "On its way to the server"],
  saved: ["Sent", "The server has saved it"],
  delivered: ["Delivered", "The page of somebody else shows it"],
  refused: ["Not sent", "The server did not take it"],
};

export class MessageLog {
  #list = $("messages");
  #byId = new Map();
  #byUid = new Map();

  get isEmpty() {
    return this.#list.childElementCount === 0;
  }

  get firstId() {
    return this.#byId.size ? Math.min(...this.#byId.keys()) : 0;
  }

  get lastId() {
    return this.#byId.size ? Math.max(...this.#byId.keys()) : 0;
  }

  /** Whether one of my own messages is saved, but nobody else is known to have it. */
  get awaitsDelivery() {
    return this.#list.querySelector('.state[data-state="saved"]') !== null;
  }

  /** Show a saved message. Answers whether it is new here. */
  add(message) {
    if (this.#byId.has(message.id)) return false;
    const mine = message.author.id === page.me.id;
    const waiting = mine && this.#byUid.get(message.uid);
    const item = waiting || clone("message-template");
    this.#byUid.delete(message.uid);
    this.#byId.set(message.id, item);
    this.#fill(item, message);
    if (mine && !message.announcement) {
      this.#setState(item, message.delivered ? "delivered" : "saved");
    }
    this.#place(item);
    return !waiting;
  }

  /** Show a message that is on its way: it has a `uid` of its own but no id yet. */
  addPending(entry) {
    const item = clone("message-template");
    this.#byUid.set(entry.uid, item);
    this.#fill(item, { ...entry, author: page.me, announcement: false });
    this.#setState(item, "sending");
    this.#place(item);
  }

  /** The server did not take the message. */
  refuse(uid, reason) {
    const item = this.#byUid.get(uid);
    if (!item) return;
    this.#setState(item, "refused");
    const refusal = item.querySelector(".refusal");
    refusal.querySelector("span").textContent = reason;
    refusal.querySelector("button").addEventListener("click", () => {
      this.#byUid.delete(uid);
      this.#drop(item);
    });
    refusal.hidden = false;
  }

  /** Somebody else's page has shown all messages up to this one. */
  deliveredUpTo(id) {
    for (const [messageId, item] of this.#byId) {
      const state = item.querySelector(".state");
      if (messageId <= id && state.dataset.state === "saved") this.#setState(item, "delivered");
    }
  }

  remove(id) {
    const item = this.#byId.get(id);
    if (!item) return;
    this.#byId.delete(id);
    this.#drop(item);
  }

  /** "Today" is "Yesterday" after midnight. */
  renameDays() {
    for (const item of this.#list.children) this.#group(item);
  }

  #fill(item, message) {
    const mine = message.author.id === page.me.id;
    const at = new Date(message.at);
    item.classList.toggle("mine", mine && !message.announcement);
    item.classList.toggle("announcement", message.announcement);
    item.dataset.id = message.id ?? "";
    item.dataset.author = message.author.id;
    item.dataset.at = at.toISOString();

    paintAvatar(item.querySelector(".avatar"), message.author);
    const author = item.querySelector(".author");
    author.textContent = mine && !message.announcement ? "You" : message.author.name;
    author.classList.add(hueOf(message.author));

    // A group shows one of them: others' above the first message, mine below the last one.
    for (const time of item.querySelectorAll("time")) {
      time.dateTime = at.toISOString();
      time.textContent = clockTime(at);
    }
    item.querySelector(".bubble").title = fullTime(at);

    const text = item.querySelector(".text");
    text.hidden = !message.text;
    text.classList.toggle("emoji", isEmojiOnly(message.text));
    showText(text, message.text);

    const picture = item.querySelector(".picture");
    picture.hidden = !message.image;
    if (message.image) {
      const image = picture.querySelector("img");
      picture.href = message.image.url;
      image.width = message.image.width;
      image.height = message.image.height;
      image.alt = `Image from ${mine ? "you" : message.author.name}`;
      // The preview stays in place: the same image from the server would only flicker.
      if (!image.src) image.src = message.image.url;
    }
  }

  #setState(item, state) {
    const element = item.querySelector(".state");
    element.hidden = false;
    element.dataset.state = state;
    const [word, sentence] = STATES[state];
    element.title = sentence;
    element.querySelector(".state-text").textContent = word;
  }

  #place(item) {
    const id = Number(item.dataset.id) || Infinity;
    const next = item.nextElementSibling;
    item.remove();
    if (next) this.#group(next);
    let before = this.#list.lastElementChild;
    while (before && (Number(before.dataset.id) || Infinity) > id) {
      before = before.previousElementSibling;
    }
    if (before) before.after(item);
    else this.#list.prepend(item);
    this.#group(item);
    if (item.nextElementSibling) this.#group(item.nextElementSibling);
  }

  #drop(item) {
    const next = item.nextElementSibling;
    item.remove();
    if (next) this.#group(next);
  }

  /** Decide what an item shows from the one above it: a new day, a new author, or neither. */
  #group(item) {
    const above = item.previousElementSibling;
    const at = new Date(item.dataset.at);
    const newDay = !above || !sameDay(at, new Date(above.dataset.at));
    const plain = !item.classList.contains("announcement");
    const goesOn =
      !newDay &&
      plain &&
      !above.classList.contains("announcement") &&
      above.dataset.author === item.dataset.author &&
      at - new Date(above.dataset.at) < GROUP_WITHIN;
    item.classList.toggle("new-day", newDay);
    item.classList.toggle("goes-on", goesOn);
    if (newDay) item.querySelector(".day span").textContent = dayName(at);
  }
}
