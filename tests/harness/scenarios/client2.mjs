// What is special to clients 2.x: the main namespace without asking, queries, errors, pings.

// What a namespace refuses a client 2.x with.
export async function refused_2(t) {
  const socket = t.open(t.params.namespace, { query: t.params.query });
  const [data] = await t.once(socket, "error");
  // A refused namespace leaves the connection to the others.
  const other = await t.connected(t.keep(socket.io.socket("/lab")));
  return { data, connected: socket.connected, sum: await t.ask(other, "add", 1, 2) };
}

export async function query(t) {
  const { namespace, query } = t.params;
  const socket = await t.connect(namespace, query ? { query } : {});
  if (t.transport === "default") await t.upgraded(socket);
  const [me] = await t.ask(socket, "me");
  return { me, id: socket.id };
}

export async function namespaces_2(t) {
  const main = t.open("/");
  const lab = t.keep(main.io.socket("/lab"));
  const hello = await t.once(main, "message");
  await t.connected(lab);
  const any = await t.connected(t.keep(lab.io.socket("/any")));
  const sid = any.id;
  any.disconnect();
  const sum = await t.ask(lab, "add", 1, 2);
  any.connect();
  await t.connected(any);
  return {
    hello,
    sameEngine: lab.io.engine === any.io.engine,
    ids: [main.id, lab.id, any.id, sid],
    engine: lab.io.engine.id,
    sum,
    again: await t.ask(any, "back"),
  };
}

// Text that UTF-8, UTF-16 and JavaScript count differently, alone, many in one payload, with binary
// data beside it, both ways.
export async function characters(t) {
  const socket = await t.connect("/lab", { forceBase64: t.params.forceBase64 });
  if (t.transport === "default") await t.upgraded(socket);
  const blob = Buffer.from([0, 4, 30, 255]);
  const texts = ["é", "😀", "a😀é", "\u2028", "x".repeat(70000) + "😀"];
  const asked = texts.map((text) => t.ask(socket, "echo", text));
  asked.push(t.ask(socket, "echo", "😀", blob, { deep: [Buffer.alloc(0), blob] }));
  const [last, ...answers] = (await Promise.all(asked)).reverse();
  return {
    texts: answers.reverse().map(([text], number) => text === texts[number]),
    text: last[0],
    blobs: [last[1], last[2].deep[0], last[2].deep[1]].map((value) => [...value]),
  };
}

// A socket is found by its id, by the others and by the server.
export async function by_id(t) {
  const [a, b] = [await t.connect("/lab"), await t.connect("/lab")];
  const said = t.once(b, "said");
  a.emit("say", b.id, "privately");
  return { said: await said, ids: [a.id, b.id], found: await t.ask(a, "who", b.id) };
}

// Clients of all versions in one room: each hears each.
export async function mixed_room(t) {
  const { room, versions } = t.params;
  const members = [];
  for (const version of versions) {
    for (const transport of ["polling", "websocket", "default"]) {
      const socket = t.keep(
        t.clientOf(version)(t.url + "/lab", {
          forceNew: true,
          ...(transport !== "default" && { transports: [transport] }),
        }),
      );
      await t.once(socket, "connect");
      if (transport === "default") await t.upgraded(socket);
      await t.ask(socket, "join", room);
      members.push({ name: `${version} ${transport}`, socket, heard: t.collect(socket, "said") });
    }
  }
  t.step("joined");
  await t.told_to("say");
  for (const { name, socket } of members) await t.ask(socket, "say all", room, `é😀 ${name}`);
  const all = members.length + t.params.others;
  await t.until(() => members.every(({ heard }) => heard.length >= all), "all that was said");
  return Object.fromEntries(members.map(({ name, heard }) => [name, heard.flat()]));
}
