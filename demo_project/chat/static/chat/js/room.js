// One page of the chat: connect, and pass on what arrives to whoever shows it.

import { Composer } from "./composer.js";
import { Connection } from "./connection.js";
import { History } from "./history.js";
import { MessageLog } from "./log.js";
import { Outbox } from "./outbox.js";
import { $, page, paintAvatar } from "./page.js";
import { preparePanels } from "./panels.js";
import { People } from "./people.js";
import { RoomList } from "./rooms.js";
import { Scroller } from "./scroll.js";

const TITLE = document.title;
let unread = 0;

preparePanels();
for (const avatar of document.querySelectorAll(".avatar[data-user]")) {
  paintAvatar(avatar, { id: Number(avatar.dataset.user), name: avatar.dataset.name });
}

const socket = io("/chat", { auth: { room: page.room.slug } });

const log = new MessageLog();
const people = new People();
const rooms = new RoomList();
const scroller = new Scroller();
const connection = new Connection(socket);

const history = new History(socket, log, scroller, receive);
const outbox = new Outbox(socket, {
  onRestored: (entry) => log.addPending(entry),
  onSaved: (message) => {
    receive(message);
    askDelivered();
  },
  onRefused: (uid, reason) => log.refuse(uid, reason),
});

new Composer({
  onSend: (message) => {
    log.addPending(outbox.add(message));
    scroller.toBottom();
    showEmpty();
  },
  onTyping: (isTyping) => socket.connected && socket.volatile.emit("typing", isTyping),
});

socket.on("connect", async () => {
  await history.catchUp();
  outbox.flush();
  askDelivered();
});
socket.on("message", receive);
socket.on("removed", (id) => {
  log.remove(id);
  showEmpty();
});
// The server asks on behalf of an author: the answer is the acknowledgement.
socket.on("shown", (answer) => answer(history.known));
socket.on("delivered", (id) => log.deliveredUpTo(id));
socket.on("presence", (list, asked) => {
  people.show(list, asked);
  askDelivered();
});
socket.on("typing", (person, isTyping) => people.setTyping(person, isTyping));
socket.on("activity", (slug) => rooms.markUnread(slug));
socket.on("room", (room) => rooms.add(room));
socket.on("closed", (slug) => {
  rooms.remove(slug);
  if (slug === page.room.slug) connection.closed();
});

/** A saved message, whichever way it came. */
function receive(message) {
  history.follow(message.id);
  if (!log.add(message)) return;
  showEmpty();
  if (message.author.id === page.me.id) {
    outbox.settle(message.uid);
    return;
  }
  people.setTyping(message.author, false);
  scroller.noticeNew();
  if (document.hidden) {
    unread += 1;
    document.title = `(${unread}) ${TITLE}`;
  }
}

let asking;

/** Ask, once for a burst of reasons, whether somebody else has my messages by now. */
function askDelivered() {
  if (!log.awaitsDelivery) return;
  clearTimeout(asking);
  asking = setTimeout(async () => {
    if (!socket.connected || !log.awaitsDelivery) return;
    try {
      log.deliveredUpTo(await socket.timeout(10_000).emitWithAck("delivered"));
    } catch {
      // No answer: the next message or the next visitor is a reason to ask again.
    }
  }, 150);
}

function showEmpty() {
  $("empty").hidden = !log.isEmpty;
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  unread = 0;
  document.title = TITLE;
  log.renameDays();
});
setInterval(() => log.renameDays(), 60_000);

showEmpty();
scroller.toBottom();
// From here on a screen reader reads out what is added.
requestAnimationFrame(() => $("log").setAttribute("aria-live", "polite"));
