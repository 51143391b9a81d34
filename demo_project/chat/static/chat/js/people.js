// Who is here, and who is typing.

import { $, clone, page, paintAvatar } from "./page.js";

const FACES = 4;
// A page that types says so every two seconds. One that went silent has stopped.
const TYPING_LASTS = 4000;

export class People {
  #typing = new Map();

  #asked = 0;

  /** Show who is in the room, me first, then by name; unless newer news has come before. */
  show(people, asked) {
    if (asked < this.#asked) return;
    this.#asked = asked;
    const isMe = (person) => person.id === page.me.id;
    people.sort((a, b) => isMe(b) - isMe(a) || a.name.localeCompare(b.name));
    $("people-list").replaceChildren(...people.map((person) => personItem(person, isMe(person))));
    $("faces").replaceChildren(...people.slice(0, FACES).map(face));
    $("people-count").textContent = people.length;
    $("people-total").textContent = people.length;
    for (const id of this.#typing.keys()) {
      if (!people.some((person) => person.id === id)) this.setTyping({ id }, false);
    }
  }

  setTyping(person, isTyping) {
    clearTimeout(this.#typing.get(person.id)?.timer);
    this.#typing.delete(person.id);
    if (isTyping && person.id !== page.me.id) {
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

function personItem(person, isMe) {
  const item = clone("person-template");
  paintAvatar(item.querySelector(".avatar"), person);
  item.querySelector(".person-name").textContent = isMe ? `${person.name} (you)` : person.name;
  return item;
}

function face(person) {
  const avatar = document.createElement("span");
  avatar.className = "avatar";
  paintAvatar(avatar, person);
  return avatar;
}
