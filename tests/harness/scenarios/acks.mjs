// Acknowledgements, both ways.

export async function acks(t) {
  const socket = await t.connect("/lab");
  const unanswered = [];
  for (const event of ["fails", "refuses", "one", "no such event", "nothing of the kind"]) {
    socket.emit(event, ...(event === "one" ? [1, 2] : []), () => unanswered.push(event));
  }
  return {
    sum: await t.ask(socket, "add", 20, 22),
    nothing: await t.ask(socket, "nothing"),
    pair: await t.ask(socket, "pair"),
    list: await t.ask(socket, "list"),
    types: await t.ask(socket, "types"),
    one: await t.ask(socket, "one", "fits"),
    unanswered,
  };
}

export async function calls(t) {
  const socket = await t.connect("/lab");
  socket.on("question", (...args) => args.pop()(...args, "answered"));
  socket.on("silence", () => {});
  return {
    several: await t.ask(socket, "ask", 1, { two: "2" }),
    one: await t.ask(socket, "ask"),
    plain: await t.ask(socket, "ask plainly", "x"),
    late: await t.ask(socket, "ask impatiently"),
  };
}

export async function binary_acks(t) {
  const socket = await t.connect("/lab");
  const blob = Buffer.alloc(5000, 7);
  socket.on("question", (...args) => {
    const answer = args.pop();
    answer({ was: args[0], binary: Buffer.isBuffer(args[0].deep[1]), more: Buffer.from([9, 8]) });
  });
  const [echo, tail] = await t.ask(socket, "echo", { a: [blob, "text", { b: t.bytes(1, 2) }] }, blob);
  const [answer] = await t.ask(socket, "ask", { deep: ["x", Buffer.from([5, 6])] });
  return {
    same: blob.equals(echo.a[0]) && blob.equals(tail),
    inner: echo.a[2].b,
    text: echo.a[1],
    empty: await t.ask(socket, "echo", Buffer.alloc(0)),
    answer,
  };
}

export async function queued_calls(t) {
  const socket = await t.connect("/lab");
  const release = new Promise((resolve) => {
    socket.on("question", async (n, answer) => {
      // The answer is held back until the later events are surely at the server.
      await t.until(() => socket.io.engine.writeBuffer.length === 0, "the events to leave");
      await t.ask(other, "add", 1, 1);
      answer(`answer ${n}`);
      resolve();
    });
  });
  const other = await t.connect("/lab");
  socket.emit("mark", "before");
  socket.emit("long question", 1);
  for (let n = 0; n < 5; n++) socket.emit("mark", n);
  await t.soon(release, "the question");
  await t.ask(socket, "mark", "last");
  return socket.id;
}

// Handlers that use the database, of three namespaces over one connection at the same time.
export async function database(t) {
  const lab = await t.connect("/lab");
  const any = await t.connected(t.keep(lab.io.socket("/any")));
  const asked = [];
  for (let n = 0; n < 20; n++) {
    asked.push(t.ask(lab, "count users"), t.ask(any, "count users"));
    asked.push(t.ask(lab, "count users plainly"));
    if (n % 5 === 0) await t.ask(any, "turn");
  }
  const counts = (await Promise.all(asked)).flat();
  return [counts.length, new Set(counts).size];
}

export async function overlapping(t) {
  const socket = await t.connect("/lab");
  socket.on("question", (n, answer) => {
    // A later event of the same socket is handled while the concurrent one waits for this answer.
    t.ask(socket, "mark", "meanwhile").then(() => answer("late"));
  });
  const answer = await t.ask(socket, "overlap", 1);
  return { sid: socket.id, answer };
}

export async function slow_handlers(t) {
  const slow = await t.connect("/lab");
  const quick = await t.connect("/lab");
  const got = {};
  for (const event of ["wait for gate", "wait for gate plainly"]) {
    const gate = `${event} ${slow.id}`;
    let finished = false;
    const started = t.once(slow, "waiting");
    const waiting = t.ask(slow, event, gate).then((answer) => ((finished = true), answer));
    await started;
    // The gate is opened through the other socket, whose events do not queue behind that handler.
    const sums = [];
    for (let n = 0; n < 10; n++) sums.push((await t.ask(quick, "add", n, 1))[0]);
    const early = finished;
    await t.ask(quick, "open gate", gate);
    got[event] = { sums, early, answer: await waiting };
  }
  return got;
}
