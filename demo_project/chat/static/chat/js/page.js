// What the other modules share: the page's elements and the data Django put into it.

export const page = JSON.parse(document.getElementById("page").textContent);

export const $ = (id) => document.getElementById(id);

export const clone = (templateId) => $(templateId).content.firstElementChild.cloneNode(true);

const HUES = 12;

/** Make an element somebody's avatar: a colour of their own and up to two initials. */
export function paintAvatar(element, person) {
  const words = person.name.split(/[^\p{L}\p{N}]+/u).filter(Boolean);
  const letters = words.length > 1 ? [words[0], words[1]].map((word) => [...word][0]) : [...(words[0] ?? "?")].slice(0, 1);
  element.textContent = letters.join("").toUpperCase();
  element.classList.add(hueOf(person));
}

export const hueOf = (person) => `hue-${person.id % HUES}`;
