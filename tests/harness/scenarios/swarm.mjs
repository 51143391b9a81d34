// Many clients at once, each with numbered messages both ways.

export async function swarm(t) {
  const { clients, each, settle } = t.params;
  const errors = [];
  const members = Array.from({ length: clients }, () => {
    const socket = t.open("/flood", { timeout: 60_000 });
    const received = [];
    const told = (error) => `${error} ${error?.description} ${error?.context?.responseText}`;
    socket.on("connect_error", (error) => errors.push(told(error)));
    socket.on("disconnect", (reason, error) => errors.push(`${reason}: ${told(error)}`));
    socket.on("number", (n) => received.push(n));
    return { socket, received };
  });
  const soon = (condition, what) => t.until(() => condition() || errors.length, what, settle);
  await soon(() => members.every(({ socket }) => socket.connected), "the clients to connect");
  const connected = members.filter(({ socket }) => socket.connected).length;

  const started = performance.now();
  for (const { socket } of members) {
    socket.emit("flood", { total: each, every: 0, upgrades: false, size: 0 });
  }
  for (let n = 0; n < each; n++) {
    for (const { socket } of members) socket.emit("number", n);
    await new Promise((resolve) => setImmediate(resolve));
  }
  for (const member of members) {
    member.socket.emit("received", (atServer) => (member.sent = atServer.numbers));
  }
  const complete = ({ received, sent }) => received.length >= each && sent;
  await soon(() => members.every(complete), "all messages");
  const seconds = (performance.now() - started) / 1000;

  const inOrder = (numbers) => numbers?.length === each && numbers.every((n, place) => n === place);
  return {
    errors,
    connected,
    seconds,
    toServer: members.filter(({ sent }) => inOrder(sent)).length,
    toClient: members.filter(({ received }) => inOrder(received)).length,
    transports: [...new Set(members.map(({ socket }) => socket.io.engine.transport?.name))],
  };
}
