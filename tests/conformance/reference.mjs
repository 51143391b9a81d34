// The Node server that settles what the specification leaves open.
// Reads profiles as JSON from argv[2]: {name: options}. Prints one line of JSON: {name: port}.
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const places = [
  process.env.SOCKETIO_NODE_MODULES,
  fileURLToPath(new URL("../node_modules", import.meta.url)),
  ...(process.env.NODE_PATH ?? "").split(delimiter),
].filter(Boolean);

function load(name) {
  for (const place of places) {
    try {
      return createRequire(join(place, "_"))(join(place, name));
    } catch (error) {
      if (error.code !== "MODULE_NOT_FOUND") throw error;
    }
  }
  console.error(`${name} is not in ${places.join(" or ")}`);
  process.exit(3);
}

const { Server } = load("socket.io");

// What the official protocol suites ask of a server.
function serveSuite(io) {
  const accept = (socket) => {
    socket.emit("auth", socket.handshake.auth);
    socket.on("message", (...args) => socket.emit("message-back", ...args));
    socket.on("message-with-ack", (...args) => args.pop()(...args));
  };
  io.on("connection", accept);
  io.of("/custom").on("connection", accept);
}

function serve({ suite, ...options }) {
  const logs = new Map();
  const log = (tag, ...entry) => {
    if (tag === undefined) return;
    if (!logs.has(tag)) logs.set(tag, []);
    logs.get(tag).push(entry);
  };
  const plain = (value) => {
    if (Buffer.isBuffer(value)) return { bytes: value.toString("hex") };
    if (Array.isArray(value)) return value.map(plain);
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
  };

  const http = createServer((request, response) => {
    const url = new URL(request.url, "http://localhost");
    if (url.pathname === "/log") {
      response.setHeader("Content-Type", "application/json");
      response.end(JSON.stringify(logs.get(url.searchParams.get("tag")) ?? []));
      return;
    }
    response.statusCode = 404;
    response.end("not found");
  });
  // What JSON cannot hold: expressions, and a function that refuses with the reason in a header.
  const header = options.allowRequest;
  if (header) {
    options.allowRequest = ({ headers }, decide) => decide(headers[header], !(header in headers));
  }
  if (Array.isArray(options.cors?.origin)) {
    options.cors.origin = options.cors.origin.map((item) =>
      item.startsWith("regexp:") ? new RegExp(item.slice(7)) : item);
  }
  const io = new Server(http, { serveClient: false, ...options });

  const accept = (socket) => {
    const auth = socket.handshake.auth ?? {};
    const { tag, mode } = auth;
    log(tag, "connect");
    socket.on("disconnect", (reason, description) => {
      log(tag, "disconnect", reason);
      // Apart, so that the other scenarios do not see it. The texts are each server's own.
      if (tag !== undefined) log(`${tag}-detail`, "disconnect", reason, description !== undefined);
    });
    socket.onAny((...args) => {
      // Called for a socket that has left, too; its handlers are not.
      if (socket.connected) log(tag, "event", args.filter((a) => typeof a !== "function").map(plain));
    });

    socket.on("echo", (...args) => {
      const answer = typeof args.at(-1) === "function" ? args.pop() : undefined;
      answer?.(...args);
    });
    socket.on("say", (...args) => socket.emit("said", ...args.filter((a) => typeof a !== "function")));
    socket.on("burst", (count) => {
      for (let n = 0; n < count; n++) socket.emit("n", n);
    });
    socket.on("large", (size, compress) => socket.compress(compress).emit("large", "x".repeat(size)));
    socket.on("binary", () => socket.emit("bytes", Buffer.from([1, 2, 3]), "and", Buffer.from([4])));
    socket.on("ask", () => socket.emit("question", (...args) => socket.emit("answered", ...args.map(plain))));
    socket.on("early", (answer) => {
      if (typeof answer === "function") answer("early", [1]);
      socket.emit("later");
      socket.local.emit("to others");
    });
    if (mode === "ask") socket.emit("question", (...args) => socket.emit("answered", ...args.map(plain)));
    socket.on("late", (ms, answer) => setTimeout(() => answer("late"), ms));
    socket.on("leave", () => {
      socket.emit("before", "leave");
      socket.disconnect();
      socket.emit("after", "leave");
    });
    socket.on("leave all", () => {
      socket.emit("before", "leave all");
      socket.disconnect(true);
      socket.emit("after", "leave all");
    });
    socket.on("handshake", (answer) => {
      const { query, auth, secure, address } = socket.handshake;
      answer({ query, auth, secure, address, transport: socket.conn.transport.name });
    });
    socket.on("volatile", () => socket.volatile.emit("gone"));
    socket.on("volatile burst", (count) => {
      for (let n = 0; n < count; n++) socket.volatile.emit("n", n);
    });
    socket.on("room", () => {
      socket.join("room");
      io.of(socket.nsp.name).to("room").emit("in room");
      socket.to("room").emit("to others");
      socket.emit("to me");
    });

    if (mode === "greet") {
      socket.emit("hello", 1);
      socket.emit("hello", 2);
    }
    if (mode === "leave") socket.disconnect();
    if (mode === "leave all") socket.disconnect(true);
    if (mode === "greet and leave") {
      socket.emit("hello", 1);
      socket.disconnect();
    }
  };

  const refuse = (message, data) => (socket, next) => {
    const error = new Error(message);
    if (data !== undefined) error.data = data;
    next(error);
  };

  if (suite) serveSuite(io);
  else serveReference(io, accept, refuse);

  return new Promise((resolve) => {
    http.listen(0, "127.0.0.1", () => resolve(http.address().port));
  });
}

function serveReference(io, accept, refuse) {
  io.on("connection", accept);
  io.of("/other").on("connection", accept);
  io.of(/^\/room-\d+$/).on("connection", accept);
  io.of("/refused").use(refuse("no entry"));
  io.of("/refused-with-data").use(refuse("no entry", { code: 7, list: [1, "é"] }));
  io.of("/slow")
    .use((socket, next) => setTimeout(next, 150))
    .on("connection", accept);
}

const ports = {};
for (const [name, options] of Object.entries(JSON.parse(process.argv[2]))) {
  ports[name] = await serve(options);
}
console.log(JSON.stringify(ports));
