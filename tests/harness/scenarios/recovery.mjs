// Clients that lose their connections and come back, under a steady broadcast.

class Returning {
  constructor(t, n) {
    const { transports = ["websocket"], reconnectionDelay = 200 } = t.params;
    Object.assign(this, { comings: [], errors: [], seen: {}, told: [], last: {} });
    const names = transports[n % transports.length].split("+");
    this.transport = names.at(-1);
    const socket = t.io(`${t.url}/recovery`, {
      forceNew: true,
      transports: names,
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

  // Kills its WebSocket, if it has one: without a word.
  cut() {
    this.socket.io.engine.transport.ws?._socket?.destroy();
  }

  get settled() {
    const { engine } = this.socket.io;
    return this.socket.connected && engine.transport.name === this.transport && !engine.upgrading;
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
    return { comings: [...comings], runs, told: [...told], last: { ...last }, state };
  }
}

// `members` clients of the proxy. The test asks for "report", "cut" (every WebSocket) and "stop".
export async function returning(t) {
  const members = Array.from({ length: t.params.members }, (_, n) => new Returning(t, n));
  await t.until(() => members.every(({ settled }) => settled), "everybody to connect, and to upgrade");
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
