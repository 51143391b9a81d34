// The list of rooms: new ones appear, and those where something was said are marked.

import { $, clone, page } from "./page.js";

export class RoomList {
  add({ slug, name, url }) {
    if (this.#link(slug)) return;
    const item = clone("room-template");
    const link = item.querySelector("a");
    link.href = url;
    link.dataset.slug = slug;
    item.querySelector(".room-name").textContent = name;
    $("rooms").append(item);
  }

  nameOf(slug) {
    return this.#link(slug)?.querySelector(".room-name").textContent ?? slug;
  }

  remove(slug) {
    this.#link(slug)?.closest("li").remove();
  }

  markUnread(slug) {
    const link = this.#link(slug);
    if (!link || slug === page.room.slug) return;
    const badge = link.querySelector(".unread");
    const count = Number(badge.dataset.count ?? 0) + 1;
    badge.dataset.count = count;
    badge.textContent = count > 99 ? "99+" : count;
    badge.setAttribute("aria-label", `${count} new`);
    badge.hidden = false;
    $("unread-elsewhere").hidden = false;
  }

  #link(slug) {
    return [...$("rooms").querySelectorAll("a")].find((link) => link.dataset.slug === slug);
  }
}
