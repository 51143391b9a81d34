// Rooms and broadcasts between sockets, and volatile messages.

export async function rooms(t) {
  const [a, b, c] = [await t.connect("/lab"), await t.connect("/lab"), await t.connect("/lab")];
  const room = `red ${a.id}`;
  const heard = { a: t.collect(a, "said"), b: t.collect(b, "said"), c: t.collect(c, "said") };
  // Each of the three has handled what came before once it has answered.
  const settle = () => Promise.all([a, b, c].map((socket) => t.ask(socket, "nothing")));
  const take = () =>
    Object.fromEntries(Object.entries(heard).map(([name, got]) => [name, got.splice(0).flat()]));

  const roomsOfA = await t.ask(a, "join", room);
  await t.ask(b, "join", room, `blue ${a.id}`);
  const got = { own: roomsOfA[0].includes(a.id) && roomsOfA[0].includes(room) };

  await t.ask(a, "say", room, "to the room");
  await settle();
  got.to = take();
  await t.ask(c, "say", room, "from outside");
  await settle();
  got.outside = take();
  await t.ask(a, "say all", room, "everybody");
  await settle();
  got.all = take();
  await t.ask(a, "say except", room, `blue ${a.id}`, "but blue");
  await settle();
  got.except = take();
  await t.ask(a, "say", c.id, "privately");
  await settle();
  got.sid = take();
  got.who = (await t.ask(c, "who", room))[0].sort();
  got.members = [a.id, b.id].sort();

  for (const socket of [a, b]) socket.on("question", (n, answer) => answer(socket === a ? "a" : "b"));
  got.answers = (await t.ask(c, "poll room", room))[0].sort();
  got.nobody = await t.ask(c, "poll room", `empty ${a.id}`);

  await t.ask(b, "leave", room);
  await t.ask(c, "say", room, "after leaving");
  await settle();
  got.left = take();

  const bGone = t.once(b, "disconnect");
  await t.ask(a, "join", `gone ${a.id}`);
  await t.ask(b, "join", `gone ${a.id}`);
  const aGone = t.once(a, "disconnect");
  await t.ask(c, "kick room", `gone ${a.id}`);
  got.kicked = [(await aGone)[0], (await bGone)[0]];
  return got;
}

export async function broadcast(t) {
  const [a, b] = [await t.connect("/quiet"), await t.connect("/quiet")];
  const heard = { a: t.collect(a, "said"), b: t.collect(b, "said") };
  const text = `hello ${a.id}`;
  await t.ask(a, "broadcast", text, Buffer.from([1, 2, 3]));
  await t.ask(b, "nothing");
  await t.ask(a, "nothing");
  const mine = (got) => got.filter(([first]) => first === text);
  return { text, a: mine(heard.a), b: mine(heard.b) };
}

export async function from_a_view(t) {
  const socket = await t.connect("/lab");
  const news = t.collect(socket, "news");
  const room = `view ${socket.id}`;
  await t.ask(socket, "join", room);
  t.step("joined", { room, sid: socket.id });
  await t.told_to("look");
  await t.until(() => news.length >= 2, "news from the view");
  return news;
}

export async function volatile(t) {
  const socket = await t.connect("/lab");
  if (t.transport === "default") await t.upgraded(socket);
  const ticks = t.collect(socket, "tick");
  // A volatile message is dropped where nothing can take it at once, so it is asked for until one came.
  await t.until(() => {
    if (!ticks.length) socket.emit("tick");
    return ticks.length;
  }, "a volatile message");
  const { engine } = socket.io;
  await t.until(() => !engine.writeBuffer.length && engine.transport.writable, "an idle transport");
  (socket.volatile ?? socket).emit("mark", "volatile"); // clients 2.x have none
  await t.ask(socket, "nothing");
  return { tick: ticks[0], sid: socket.id };
}
