// The page: passes on what arrives to whoever shows it. Where to look:
//
//   socket.js                        Socket.IO, all of it
//   connection.js, inspector.js      what the user sees of the connection: the banner, the popover
//   outbox.js, history.js            messages on their way, and those of before
//   log.js, people.js, rooms.js      drawing: messages, people, rooms (text.js, times.js help)
//   composer.js, scroll.js, ...      the parts of the page that know no server

import { Composer } from "./composer.js";
import { Connection } from "./connection.js";
import { History } from "./history.js";
import { Inspector } from "./inspector.js";
import { MessageLog } from "./log.js";
import { Outbox } from "./outbox.js";
import { $, page, paintAvatar } from "./page.js";
import { preparePanels } from "./panels.js";
import { People } from "./people.js";
import { RoomList } from "./rooms.js";
import { Scroller } from "./scroll.js";
import { listen, newestDelivered, socket, tellTyping } from "./socket.js";

const TITLE = document.title;
let unread = 0;

preparePanels();
for (const avatar of document.querySelectorAll(".avatar[data-user]")) {
  paintAvatar(avatar, { id: Number(avatar.dataset.user), name: avatar.dataset.name });
}

const log = new MessageLog();
const rooms = new RoomList();
const people = new People(rooms);
const scroller = new Scroller();
const inspector = new Inspector();
const connection = new Connection(inspector);

const history = new History(log, scroller, receive);
const outbox = new Outbox({
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
  onTyping: tellTyping,
});

listen({
  connected: async () => {
    people.forget();
    await history.catchUp();
    outbox.flush();
    askDelivered();
  },
  message: receive,
  removed: (id) => {
    log.remove(id);
    showEmpty();
  },
  delivered: (id) => log.deliveredUpTo(id),
  shown: () => history.known,
  typing: (person, isTyping) => people.setTyping(person, isTyping),
  presence: (list, asked) => {
    people.show(list, asked);
    askDelivered();
  },
  left: (id) => people.hasLeft(id),
  activity: (slug) => rooms.markUnread(slug),
  room: (room) => rooms.add(room),
  closed: (slug) => {
    rooms.remove(slug);
    if (slug === page.room.slug) connection.closed();
  },
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
      log.deliveredUpTo(await newestDelivered());
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
setInterval(() => {
  log.renameDays();
  people.refresh();
}, 30_000);

showEmpty();
scroller.toBottom();
// From here on a screen reader reads out what is added.
requestAnimationFrame(() => $("log").setAttribute("aria-live", "polite"));
