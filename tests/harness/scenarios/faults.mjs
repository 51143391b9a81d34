// Many clients that keep a record, while the test does things to the server processes.

// A client's own record: what it got from whom, when it lost its connection and came back.
class Member {
  constructor(t, place, url, transports) {
    Object.assign(this, { place, transports, losses: [], errors: [], said: 0, heard: 0, asked: 0, slowest: 0 });
    this.runs = [];
    this.begin();
    const { reconnectionDelay = 1000, timeout = 5000 } = t.params;
    const socket = t.io(`${url}/crowd`, {
      forceNew: true,
      transports,
      reconnectionDelay,
      reconnectionDelayMax: 5 * reconnectionDelay,
      timeout,
    });
    this.socket = t.keep(socket);
    socket.on("connect", () => this.back());
    socket.on("disconnect", (reason) => this.lost(reason));
    socket.on("connect_error", (error) => this.errors.push(error.data ?? error.message));
    socket.on("tick", (node, n) => this.tick(node, n));
    socket.on("question", (reply) => {
      this.asked += 1;
      setTimeout(reply, t.params.answer, socket.id);
    });
  }

  back() {
    const loss = this.losses.at(-1);
    if (loss) {
      loss.seconds = (performance.now() - this.lostAt) / 1000;
      this.begin();
    }
    this.sid = this.socket.id;
  }

  lost(reason) {
    // The client tells it again where it loses its next connection before that is of use.
    if (this.losses.length && this.losses.at(-1).seconds === undefined) return;
    this.lostAt = performance.now();
    this.losses.push({ reason, sid: this.sid });
  }

  // Numbers are compared within a run: from one connect to the next loss.
  begin() {
    this.run = {};
    this.runs.push(this.run);
  }

  tick(node, n) {
    const seen = (this.run[node] ??= { first: n, last: n - 1, missed: 0, disorder: 0 });
    if (n <= seen.last) seen.disorder += 1;
    else seen.missed += n - seen.last - 1;
    seen.last = Math.max(n, seen.last);
  }

  say() {
    if (!this.socket.connected) return;
    const n = this.said++;
    const began = performance.now();
    this.socket.emit("say", n, (answer) => {
      this.slowest = Math.max(this.slowest, (performance.now() - began) / 1000);
      if (answer !== n) this.errors.push(`${answer} in place of ${n}`);
      this.heard += 1;
    });
  }

  report() {
    const { place, socket, losses, errors, runs, said, heard, asked, slowest } = this;
    this.slowest = 0;
    const transport = socket.io.engine?.transport?.name;
    const sid = socket.id ?? null;
    return { place, sid, transport, losses, errors, runs, said, heard, asked, slowest };
  }
}

// `each` clients of every URL. The test asks for reports, by number, and stops it.
export async function crowd(t) {
  const { urls, each, transports, tick, say } = t.params;
  const members = [];
  for (const [place, url] of urls.entries()) {
    for (let n = 0; n < each; n++) {
      members.push(new Member(t, place, url, transports[n % transports.length]));
    }
  }
  await t.until(() => members.every(({ socket }) => socket.connected), "everybody to connect");
  if (transports.some((names) => names.length > 1)) {
    await t.until(() => members.every(settled), "everybody's upgrade");
  }
  if (tick) {
    for (const [place] of urls.entries()) {
      members.find((member) => member.place === place).socket.emit("tick", tick);
    }
  }
  const timer = say && setInterval(() => members.forEach((member) => member.say()), say);
  for (let round = 0; ; round++) {
    const words = ["report", "stop"].map((word) => t.signal(`${word} ${round}`).promise.then(() => word));
    const word = await Promise.race([...words, t.failure]);
    t.step("report", members.map((member) => member.report()));
    if (word === "stop") break;
  }
  clearInterval(timer);
}

function settled({ socket, transports }) {
  const { engine } = socket.io;
  return engine.transport.name === transports.at(-1) && !engine.upgrading;
}
