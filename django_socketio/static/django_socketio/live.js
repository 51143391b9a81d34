// The live page's own client: Socket.IO over one WebSocket, as little of it as is needed. What the
// server sends is the part of the page that moves. Where there is no WebSocket, the page is reloaded.
(() => {
  "use strict";

  const RELOAD_AFTER = 10_000;
  const MAX_FAILURES = 3;

  const live = document.getElementById("socketio-live");
  const state = document.getElementById("socketio-state");
  const pause = document.getElementById("socketio-pause");
  const { path, namespace } = live.dataset;

  let socket = null;
  let failures = 0;
  let paused = false;
  let latest = null;
  let watchdog;

  function show(name) {
    if (state.textContent !== state.dataset[name]) state.textContent = state.dataset[name];
    state.dataset.state = name;
  }

  function render() {
    if (paused || latest === null) return;
    // What has the focus keeps it, and what is scrolled stays where it is.
    const focused = document.activeElement?.closest(".socketio-scroll") !== null
      && live.contains(document.activeElement);
    const left = live.querySelector(".socketio-scroll")?.scrollLeft ?? 0;
    live.innerHTML = latest;
    latest = null;
    const table = live.querySelector(".socketio-scroll");
    if (table) {
      table.scrollLeft = left;
      if (focused) table.focus({ preventScroll: true });
    }
  }

  function connect() {
    const url = new URL(path, window.location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    url.search = "?EIO=4&transport=websocket";
    socket = new WebSocket(url);
    let allowed = 45_000;

    const alive = () => {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => socket.close(), allowed);
    };

    socket.onmessage = ({ data }) => {
      alive();
      if (data[0] === "0") {
        const { pingInterval, pingTimeout } = JSON.parse(data.slice(1));
        allowed = pingInterval + pingTimeout;
        socket.send(`40${namespace},`);
      } else if (data[0] === "2") {
        socket.send("3");
      } else if (data.startsWith(`40${namespace},`)) {
        failures = 0;
        pause.hidden = false;
        show(paused ? "paused" : "live");
      } else if (data.startsWith(`44${namespace},`)) {
        failures = MAX_FAILURES; // this user may not enter
        socket.close();
      } else if (data.startsWith(`42${namespace},`)) {
        const [name, html] = JSON.parse(data.slice(2 + namespace.length + 1));
        if (name === "live") {
          latest = html;
          render();
        }
      }
    };

    socket.onclose = () => {
      clearTimeout(watchdog);
      failures += 1;
      if (failures >= MAX_FAILURES) {
        show("reloading");
        setTimeout(() => window.location.reload(), RELOAD_AFTER);
      } else {
        show("waiting");
        setTimeout(connect, 1000 * failures);
      }
    };
    alive();
  }

  pause.addEventListener("click", () => {
    paused = !paused;
    pause.textContent = paused ? pause.dataset.resume : pause.dataset.pause;
    pause.setAttribute("aria-pressed", String(paused));
    show(paused ? "paused" : "live");
    render();
  });

  show("waiting");
  connect();
})();
