// Who is here, who is elsewhere, who has just left, and who is typing.

import { $, clone, page, paintAvatar } from "./page.js";
import { ago } from "./times.js";

const FACES = 4;
// A page that types says so every two seconds. One that went silent has stopped.
const TYPING_LASTS = 4000;
// Who comes again sooner has only reloaded the page: PRESENCE_GRACE, and some more.
const RELOAD_TAKES = 6000;
const LEFT_LASTS = 10 * 60_000;

const isMe = (person) => person.id === page.me.id;
const byName = (a, b) => isMe(b) - isMe(a) || a.name.localeCompare(b.name);

export class People {
  #rooms;
  #typing = new Map();
  #asked = 0;
  // By user id: `{id, name, rooms, awayAt, leftAt}`. Who is away has no page of the chat any more.
  #known = new Map();

  constructor(rooms) {
    this.#rooms = rooms;
  }

  /** Connected anew: who went meanwhile, nobody says any more. */
  forget() {
    for (const [id, person] of this.#known) if (person.awayAt) this.#known.delete(id);
  }

  /** Show who is in which room: `{id, name, room}` each; unless newer news has come before. */
  show(list, asked) {
    if (asked < this.#asked) return;
    this.#asked = asked;
    for (const person of this.#known.values()) person.awayAt ??= new Date();
    const now = new Map();
    for (const { id, name, room } of list) {
      const person = now.get(id) ?? { id, name, rooms: [], awayAt: null, leftAt: null };
      person.rooms.push(room);
      now.set(id, person);
      this.#known.set(id, person);
    }
    this.refresh();
    setTimeout(() => this.refresh(), RELOAD_TAKES + 100);
    for (const id of this.#typing.keys()) {
      if (!now.get(id)?.rooms.includes(page.room.slug)) this.setTyping({ id }, false);
    }
  }

  /** The server has waited a while: somebody who is away has left. */
  hasLeft(id) {
    const person = this.#known.get(id);
    if (!person) return;
    person.leftAt = new Date();
    person.awayAt ??= person.leftAt;
    this.refresh();
  }

  /** Draw the lists: minutes go by. */
  refresh() {
    const here = [];
    const elsewhere = [];
    const left = [];
    // Still connected, but not with the chat: in the admin, for example.
    const isOut = ({ awayAt }) => awayAt && new Date() - awayAt > RELOAD_TAKES;
    for (const person of this.#known.values()) {
      if (person.leftAt) left.push(person);
      else if (!isOut(person) && person.rooms.includes(page.room.slug)) here.push(person);
      else elsewhere.push(person);
    }
    here.sort(byName);
    draw("people", here, () => "");
    const whereOf = ({ rooms }) => `in ${rooms.map((slug) => this.#rooms.nameOf(slug)).join(", ")}`;
    draw("elsewhere", elsewhere.sort(byName), (person) =>
      isOut(person) ? "not in the chat" : whereOf(person),
    );
    const recent = left.filter(({ leftAt }) => new Date() - leftAt < LEFT_LASTS);
    draw("left", recent.sort((a, b) => b.leftAt - a.leftAt), ({ leftAt }) => ago(leftAt));
    $("faces").replaceChildren(...here.slice(0, FACES).map(face));
    $("people-count").textContent = here.length;
    $("people-total").textContent = here.length;
  }

  setTyping(person, isTyping) {
    clearTimeout(this.#typing.get(person.id)?.timer);
    this.#typing.delete(person.id);
    if (isTyping && !isMe(person)) {
      const timer = setTimeout(() => this.setTyping(person, false), TYPING_LASTS);
      this.#typing.set(person.id, { name: person.name, timer });
    }
    const names = Array.from(this.#typing.values(), ({ name }) => name);
    $("typing").classList.toggle("is-on", names.length > 0);
    if (names.length) $("typing-text").textContent = typingText(names);
  }
}

function typingText(names) {
  if (names.length > 2) return "Several people are typing";
  return names.length === 2 ? `${names[0]} and ${names[1]} are typing` : `${names[0]} is typing`;
}

function draw(section, people, noteOf) {
  $(`${section}-section`).hidden = !people.length;
  const items = people.map((person) => {
    const item = clone("person-template");
    item.classList.toggle("is-away", person.awayAt !== null);
    paintAvatar(item.querySelector(".avatar"), person);
    item.querySelector(".person-name").textContent = isMe(person) ? `${person.name} (you)` : person.name;
    item.querySelector(".person-note").textContent = noteOf(person);
    return item;
  });
  $(`${section}-list`).replaceChildren(...items);
}

function face(person) {
  const avatar = document.createElement("span");
  avatar.className = "avatar";
  paintAvatar(avatar, person);
  return avatar;
}
