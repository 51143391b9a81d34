// Many numbered messages each way while the transport is being upgraded.

const BLOB = 100 * 1024;

export async function flood(t) {
  const { total, blobs } = t.params;
  const every = blobs ? Math.floor(total / blobs) : 0;
  const upgrades = t.transport === "default";
  const [socket, release] = await t.connectHoldingUpgrade("/flood");
  const received = [];
  socket.on("number", (n, blob) => {
    const good = every && n % every === 0 ? whole(n, blob) : blob === undefined;
    received.push(good ? n : `wrong ${n}`);
  });
  const engine = socket.io.engine;
  const ends = { sentFirst: engine.transport.name };
  const flooded = t.ask(socket, "flood", { total, every, upgrades, size: BLOB });

  for (let n = 0; n < total; n++) {
    if (n === 50) {
      await t.ask(socket, "received"); // they are handled, not only sent
      await t.until(() => engine.writeBuffer.length === 0, "the first messages to leave");
      release();
    }
    // The second half waits for the upgrade, so the messages surely lie on both sides of it.
    if (upgrades && n === total / 2) await t.upgraded(socket);
    if (every && n % every === 0) {
      socket.emit("number", n, Buffer.alloc(BLOB, n % 251));
      // A POST may hold as much as the server takes at once: the next ones wait for this one.
      await t.until(() => engine.writeBuffer.length === 0, "a binary message to leave");
    } else {
      socket.emit("number", n);
      if (n % 7 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  }
  ends.sentLast = engine.transport.name;

  const [fromServer] = await flooded;
  await t.until(() => received.length >= total, `${total} messages (${received.length} came)`);
  const [atServer] = await t.ask(socket, "received");
  return { ends, received, fromServer, atServer };
}

function whole(n, blob) {
  return Buffer.isBuffer(blob) && blob.equals(Buffer.alloc(BLOB, n % 251));
}
