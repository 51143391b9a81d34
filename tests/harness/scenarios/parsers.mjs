// What another parser must carry as the default one does; its client's binary data are ArrayBuffers.

const bytes = (...values) => Uint8Array.from(values).buffer;
const shown = (value) =>
  value instanceof ArrayBuffer || ArrayBuffer.isView(value) ? [...new Uint8Array(value)] : value;

// What JavaScript has and JSON has not.
export async function msgpack_values(t) {
  const socket = await t.connect("/lab");
  socket.on("question", (deep, answer) => answer({ was: shown(deep.deep[1]), more: bytes(9, 8) }));
  const blob = new Uint8Array(5000).fill(7).buffer;
  const [echo, tail] = await t.ask(socket, "echo", { a: [blob, "text", bytes(1, 2)] }, blob);
  const [answer] = await t.ask(socket, "ask", { deep: ["x", bytes(5, 6)] });
  return {
    blob: shown(echo.a[0]).length + shown(tail).length,
    inner: shown(echo.a[2]),
    empty: (await t.ask(socket, "echo", bytes())).map(shown),
    answer: { was: answer[0].was, more: shown(answer[0].more) },
    dates: await t.ask(socket, "echo", new Date(1234567890123), { at: new Date(-1) }),
    nothing: await t.ask(socket, "echo", undefined, null, { a: undefined }),
    numbers: await t.ask(socket, "echo", 2 ** 53 - 1, -(2 ** 53 - 1), 1.5, -0.25, 1e-300, 2 ** 40),
    texts: await t.ask(socket, "echo", "é😀\u0000", ""),
  };
}

export async function msgpack_nan(t) {
  const socket = await t.connect("/lab");
  const left = t.once(socket, "disconnect");
  socket.emit("echo", NaN);
  return (await left)[0];
}

// Members of a room on several servers; `params.urls` are theirs.
export async function parsers_cluster(t) {
  const sockets = [];
  for (const url of [...t.params.urls, ...t.params.urls]) {
    sockets.push(await t.connected(t.keep(t.io(`${url}/lab`, { forceNew: true, reconnection: false }))));
  }
  const room = `room ${sockets[0].id}`;
  const heard = sockets.map((socket) => t.collect(socket, "said"));
  for (const [index, socket] of sockets.entries()) {
    socket.on("question", (n, answer) => answer(index));
    await t.ask(socket, "join", room);
  }
  await t.ask(sockets[0], "say all", room, "hello");
  await t.until(() => heard.every((got) => got.length === 1), "the broadcast");
  t.step("joined", room);
  await t.until(() => heard.every((got) => got.length === 2), "what comes from outside");
  return {
    heard: heard.map(([[first], rest]) => [first, rest.map(shown)]),
    answers: (await t.ask(sockets[1], "poll room", room))[0].sort(),
  };
}
