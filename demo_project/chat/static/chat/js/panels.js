// The rooms and the people, which are drawers where the window is too narrow to show them.

import { $ } from "./page.js";

const buttons = [...document.querySelectorAll("button[aria-controls]")];

function toggle(button, open) {
  buttons.forEach((other) => {
    const isOpen = open && other === button;
    other.setAttribute("aria-expanded", isOpen);
    $(other.getAttribute("aria-controls")).classList.toggle("is-open", isOpen);
  });
  $("backdrop").hidden = !open;
  const panel = $(button.getAttribute("aria-controls"));
  if (open) panel.querySelector("a, button")?.focus();
  else if (panel.contains(document.activeElement)) button.focus();
}

const opened = () => buttons.find((button) => button.getAttribute("aria-expanded") === "true");

export function preparePanels() {
  buttons.forEach((button) =>
    button.addEventListener("click", () => toggle(button, button !== opened())),
  );
  const close = () => opened() && toggle(opened(), false);
  $("backdrop").addEventListener("click", close);
  document.querySelectorAll("[data-close]").forEach((x) => x.addEventListener("click", close));
  document.addEventListener("keydown", (key) => key.key === "Escape" && close());
}
