// How connections end, as both sides see it, and how they come back.

// The server ends the namespace, or the whole connection.
export async function server_disconnects(t) {
  const socket = await t.connect("/lab");
  const other = await t.connected(t.keep(socket.io.socket("/any")));
  const sids = [socket.id, other.id];
  const left = t.collect(other, "disconnect");
  const gone = t.once(socket, "disconnect");
  const closed = t.params.whole ? t.once(socket.io.engine, "close") : Promise.resolve();
  socket.emit("close me", t.params.whole);
  const [reason] = await gone;
  await closed;
  if (t.params.whole) await t.until(() => left.length, "the other namespace's end");
  else await t.ask(other, "still here");
  return { sids, reason, other: left.map(([first]) => first), connected: other.connected };
}

export async function client_disconnects(t) {
  const socket = await t.connect("/lab");
  const sid = socket.id;
  if (t.transport === "default") await t.upgraded(socket);
  await t.ask(socket, "join", "some room");
  const gone = t.once(socket, "disconnect");
  const engine = socket.io.engine;
  const how = t.params.how;
  if (how === "namespace") {
    // Another namespace keeps the connection open: only this one ends.
    await t.connected(t.keep(socket.io.socket("/any")));
    socket.disconnect();
  } else if (how === "engine") {
    engine.close();
  } else if (how === "garbage") {
    engine.write("9 is no packet type");
  } else if (how === "reserved") {
    engine.write('2/lab,["disconnect"]');
  } else if (how === "silent") {
    // Pings are not answered any more; a client 2.x sends none, and does not mind.
    engine[engine.sendPacket ? "sendPacket" : "_sendPacket"] = () => {};
    if (t.client === "2") [engine.pingIntervalTimer, engine.pingTimeoutTimer].forEach(clearTimeout);
  }
  const [reason] = await gone;
  return { sid, reason };
}

// The connection stays over several pings, which are the server's, or a client's of version 2.x.
export async function heartbeat(t) {
  const socket = await t.connect("/lab");
  const gone = t.collect(socket, "disconnect");
  let pings = 0;
  socket.io.engine.on("packet", (packet) => (pings += packet.type === (t.client === "2" ? "pong" : "ping")));
  await t.until(() => pings >= 3 || gone.length, "three pings");
  return { gone, sum: await t.ask(socket, "add", 1, 1) };
}

// Every client and transport at once, so that one restart of the server is enough.
export async function reconnects(t) {
  const options = { reconnection: true, reconnectionDelay: 50, reconnectionDelayMax: 200 };
  const open = async (transport) => {
    const socket = await t.connect("/lab", { ...options, transport });
    if (transport === "default") await t.upgraded(socket);
    return { socket, transport, before: socket.id, lost: t.once(socket, "disconnect") };
  };
  const all = [];
  for (const transport of ["polling", "websocket", "default"]) all.push(await open(transport));
  t.step("connected");
  const got = {};
  for (const one of all) {
    const [reason] = await one.lost;
    // Sent while there is no connection: kept by the client and sent when it is back.
    one.kept = t.ask(one.socket, "add", 40, 2);
    got[one.transport] = { reason };
  }
  t.step("lost");
  for (const { socket, transport, before, kept } of all) {
    if (!socket.connected) await t.once(socket, "connect");
    Object.assign(got[transport], { sum: await kept, newId: socket.id !== before });
  }
  return got;
}

// More clients at once than the server takes from an address: those who are turned away come later.
export async function turned_away(t) {
  const options = { reconnection: true, reconnectionDelay: 50, reconnectionDelayMax: 200 };
  const sockets = Array.from({ length: t.params.number }, () => t.open("/lab", options));
  const errors = sockets.map((socket) => t.collect(socket, "connect_error"));
  await t.until(() => sockets.every((socket) => socket.connected), "all to be in");
  return { errors: errors.flat().length, sum: await t.ask(sockets.at(-1), "add", 1, 1) };
}

// Too many refused CONNECTs: each client is told, though its session is closed, and does not retry.
export async function refused_too_often(t) {
  const options = { reconnection: true, reconnectionDelay: 20, reconnectionDelayMax: 40 };
  const sockets = Array.from({ length: t.params.number }, () => t.open("/members", options));
  const errors = sockets.map((socket) => t.collect(socket, "connect_error"));
  const retries = sockets.map((socket) => t.collect(socket.io, "reconnect_attempt"));
  await t.until(() => errors.every((got) => got.length), "all to be refused");
  await t.until(() => sockets.every(({ io }) => io._readyState === "closed"), "the end");
  const other = await t.connect("/lab");
  return {
    messages: errors.flat().map(([error]) => error.message),
    retries: retries.flat().length,
    sum: await t.ask(other, "add", 1, 1),
  };
}
