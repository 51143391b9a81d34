// Connecting: the introduction of the Socket.IO documentation, auth, refusals, namespaces, transports.

// The client half of the documentation's introduction.
export async function introduction(t) {
  const socket = t.open("/");
  const seen = {};
  const all = new Promise((resolve) => {
    const done = () => seen.message && seen.greetings && resolve();

    socket.on("connect", () => {
      // either with send()
      socket.send("Hello!");

      // or with emit() and custom event names
      socket.emit("salutations", "Hello!", { mr: "john" }, t.bytes(1, 2, 3, 4));
    });

    // handle the event sent with socket.send()
    socket.on("message", (data) => {
      seen.message = [data];
      done();
    });

    // handle the event sent with socket.emit()
    socket.on("greetings", (elem1, elem2, elem3) => {
      seen.greetings = [elem1, elem2, elem3];
      done();
    });
  });
  await t.soon(all, "message and greetings");
  seen.binary = Buffer.isBuffer(seen.greetings[2]);
  seen.sid = socket.id;
  // The namespace answers in order, so what was sent before has been handled.
  seen.finished = await t.ask(socket, "finished");
  return seen;
}

export async function transport(t) {
  const socket = t.open("/lab");
  const first = socket.io.engine.transport.name;
  await t.connected(socket);
  if (t.transport === "default") await t.upgraded(socket);
  const [server] = await t.ask(socket, "me");
  return { first, last: socket.io.engine.transport.name, server };
}

export async function auth(t) {
  const socket = await t.connect("/auth", {
    auth: (give) => give({ token: "right", more: { numbers: [1, 2.5], nothing: null } }),
    query: { colour: "blue & green" },
  });
  const [me] = await t.ask(socket, "me");
  return { me, id: socket.id };
}

export async function refused(t) {
  const socket = t.open("/auth", { auth: t.params.auth ?? {} });
  const [error] = await t.once(socket, "connect_error");
  // A refused namespace leaves the connection to the others.
  const other = await t.connected(t.keep(socket.io.socket("/lab")));
  return {
    message: error.message,
    data: error.data,
    connected: socket.connected,
    sum: await t.ask(other, "add", 1, 2),
  };
}

export async function unknown_namespace(t) {
  const socket = t.open("/nowhere");
  const [error] = await t.once(socket, "connect_error");
  return { message: error.message, isError: error instanceof Error };
}

export async function namespaces(t) {
  const lab = await t.connect("/lab");
  const any = await t.connected(t.keep(lab.io.socket("/any")));
  const doc = await t.connected(t.keep(lab.io.socket("/doc-42")));
  const wrong = t.keep(lab.io.socket("/doc-x"));
  const [error] = await t.once(wrong, "connect_error");
  const before = {
    ids: [lab.id, any.id, doc.id],
    sameEngine: lab.io.engine === any.io.engine && any.io.engine === doc.io.engine,
    any: await t.ask(any, "what ever", 1, { two: [2] }),
    doc: await t.ask(doc, "captured"),
    wrong: error.message,
  };
  any.disconnect();
  const again = await t.ask(doc, "captured");
  any.connect();
  await t.connected(any);
  return { ...before, again, newId: any.id, anyAgain: await t.ask(any, "back") };
}

export async function session_user(t) {
  const socket = await t.connect(t.params.namespace, { extraHeaders: { Cookie: t.params.cookie } });
  if (t.transport === "default") await t.upgraded(socket);
  t.step("connected");
  await t.told_to("go on");
  for (let n = 0; n < 20; n++) await t.ask(socket, "add", n, 1);
  const [name] = await t.ask(socket, "username");
  return name;
}

export async function session_ends(t) {
  const socket = await t.connect("/members", { extraHeaders: { Cookie: t.params.cookie } });
  t.step("connected", socket.id);
  const [reason] = await t.once(socket, "disconnect");
  return reason;
}

export async function refused_namespace(t) {
  const socket = t.open(t.params.namespace);
  const [error] = await t.once(socket, t.refusal);
  return error.message ?? error;
}
