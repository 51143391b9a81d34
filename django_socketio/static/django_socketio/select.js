// One box that checks all the others, and how many are checked. The page works without it.
(() => {
  "use strict";

  const all = document.getElementById("socketio-all");
  const boxes = [...document.querySelectorAll('.socketio input[name="target"]')];
  if (!all || !boxes.length) return;
  const count = document.getElementById("socketio-selected");

  function show() {
    const checked = boxes.filter((box) => box.checked).length;
    all.checked = checked === boxes.length;
    all.indeterminate = checked > 0 && checked < boxes.length;
    count.textContent = checked ? `: ${checked}` : "";
  }

  all.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
    show();
  });
  for (const box of boxes) box.addEventListener("change", show);
  all.closest("label").hidden = false;
  show(); // a browser that goes back keeps what was checked
})();
