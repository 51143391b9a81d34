// Clients that lose their connections and come back, under a steady broadcast.

class Returning {
  constructor(t, n) {
    const { transports = ["websocket"], reconnectionDelay = 200 } = t.params;
    Object.assign(this, { comings: [], errors: [], seen: {}, told: [], last: {} });
    const socket = t.io(`${t.url}/recovery`, {
      forceNew: true,
      transports: transports[n % transports.length].split("+"),
      reconnectionDelay,
      reconnectionDelayMax: reconnectionDelay,
      auth: t.params.auth,
    });
    this.socket = t.keep(socket);
    socket.on("connect", () => this.comings.push({ sid: socket.id, recovered: Boolean(socket.recovered) }));
    socket.on("tick", (node, n) => (this.seen[node] ??= []).push(n));
    socket.on("last", (node, n) => (this.last[node] = n));
    socket.on("told", (n) => this.told.push(n));
  }

  // Ends its connection as a network does: without a word.
  cut() {
    const { transport } = this.socket.io.engine;
    if (transport.ws) transport.ws._socket?.destroy();
    else this.socket.io.engine.close();
  }

  async report() {
    const { comings, seen, told, last, socket } = this;
    const state = socket.connected ? await socket.timeout(5000).emitWithAck("state").catch(() => null) : null;
    const runs = {};
    for (const [node, numbers] of Object.entries(seen)) {
      const [first] = numbers;
      const wrong = numbers.findIndex((n, index) => n !== first + index);
      const around = wrong < 0 ? null : numbers.slice(Math.max(0, wrong - 3), wrong + 3);
      runs[node] = { first, last: numbers.at(-1), wrong: around };
    }
    return { comings, runs, told, last, state };
  }
}

// `members` clients of the proxy. The test asks for "report", "cut" (every connection) and "stop".
export async function returning(t) {
  const members = Array.from({ length: t.params.members }, (_, n) => new Returning(t, n));
  await t.until(() => members.every(({ socket }) => socket.connected), "everybody to connect");
  for (let round = 0; ; round++) {
    const words = ["report", "cut", "stop"].map((word) => t.signal(`${word} ${round}`).promise.then(() => word));
    const word = await Promise.race([...words, t.failure]);
    if (word === "cut") members.forEach((member) => member.cut());
    t.step("report", await Promise.all(members.map((member) => member.report())));
    if (word === "stop") break;
  }
}

// One client of one worker, that has its process count aloud.
export async function counting(t) {
  const socket = await t.connect("/recovery");
  t.step("counting", await socket.emitWithAck("count", t.params.seconds));
  await Promise.race([t.signal("stop").promise, t.failure]);
  await socket.emitWithAck("stop");
}
