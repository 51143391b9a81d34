// Socket.IO in this page: all that it tells the server, and all that it hears. The other side is
// `consumers.py`; the rest of the page calls the functions below and knows nothing of sockets.

import { page } from "./page.js";

const PATIENCE = 10_000;

export const socket = io("/chat", { auth: { room: page.room.slug } });

// What is asked. Each answers with a promise, which fails when no acknowledgement comes in time.
const ask = (...args) => socket.timeout(PATIENCE).emitWithAck(...args);

export const say = (uid, text, image) => ask("say", uid, text, image);
export const messagesBefore = (id) => ask("earlier", id);
export const messagesAfter = (id) => ask("missed", id);
export const newestDelivered = () => ask("delivered");
export const serverProcess = () => ask("process");

// What is told. Nobody answers.
export const tellSeen = (id) => socket.emit("seen", id);
export const tellTyping = (isTyping) => {
  if (socket.connected) socket.volatile.emit("typing", isTyping);
};

/** Say whom to call for what the server says. */
export function listen(on) {
  socket.on("connect", on.connected);
  socket.on("message", on.message);
  socket.on("removed", on.removed);
  socket.on("delivered", on.delivered);
  // The server asks on behalf of an author: the answer is the acknowledgement.
  socket.on("shown", (answer) => answer(on.shown()));
  socket.on("typing", on.typing);
  socket.on("presence", on.presence);
  socket.on("left", on.left);
  socket.on("activity", on.activity);
  socket.on("room", on.room);
  socket.on("closed", on.closed);
}
