// Runs client scenarios for the Python tests: one JSON object a line comes in, one a line goes out.
// In:  {"id", "scenario", "url", "client", "transport", "params"} or {"id", "go": name}
// Out: {"id", "step": name, "data"}, then {"id", "result"} or {"id", "error"}.
import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { inspect } from "node:util";
import * as parsers from "./parsers.mjs";

const require = createRequire(import.meta.url);
// By what "client" says: a version, or a parser.
const clients = {
  2: () => require("socket.io-client-2"),
  3: () => require("socket.io-client-3"),
  4: () => require("socket.io-client"),
  ...parsers,
};
const transports = { polling: ["polling"], websocket: ["websocket"], default: undefined };
const DEADLINE = 15_000;

const scenarios = {};
for (const file of readdirSync(new URL("scenarios/", import.meta.url))) {
  Object.assign(scenarios, await import(new URL(`scenarios/${file}`, import.meta.url)));
}

const running = new Map();
const say = (line) => process.stdout.write(`${line}\n`);

// What a scenario works with. Whatever it opens is closed when it ends.
class Run {
  constructor({ id, url, client, transport, params }) {
    Object.assign(this, { id, url, client, transport, params });
    this.require = require;
    this.io = clients[client]();
    this.sockets = [];
    this.told = new Map();
    this.failure = new Promise((_, reject) => (this.fail = reject));
    this.failure.catch(() => {});
  }

  // A socket that is connecting; by default over a connection of its own.
  open(namespace = "/", options = {}) {
    const given = transports[options.transport ?? this.transport];
    const socket = this.io(this.url + namespace, {
      forceNew: true,
      reconnection: false,
      ...(given && { transports: given }),
      ...options,
    });
    return this.keep(socket);
  }

  clientOf(version) {
    return clients[version]();
  }

  keep(socket) {
    this.sockets.push(socket);
    return socket;
  }

  async connect(namespace = "/", options = {}) {
    return this.connected(this.open(namespace, options));
  }

  // Clients 2.x take nothing else than a Buffer for binary data in Node.
  bytes(...values) {
    return this.client === "2" ? Buffer.from(values) : Uint8Array.from(values);
  }

  // The event for a refused namespace.
  get refusal() {
    return this.client === "2" ? "error" : "connect_error";
  }

  async connected(socket) {
    const refused = new Promise((_, reject) => socket.once(this.refusal, reject));
    refused.catch(() => {});
    if (!socket.connected) await Promise.race([this.once(socket, "connect"), refused]);
    return socket;
  }

  // A socket whose upgrade waits for the call of the function that comes with it.
  async connectHoldingUpgrade(namespace) {
    const socket = this.open(namespace);
    const { engine } = socket.io;
    const name = engine.probe ? "probe" : "_probe";
    const probe = engine[name].bind(engine);
    const released = new Promise((resolve) => (socket.release = resolve));
    engine[name] = (transport) => released.then(() => probe(transport));
    await this.connected(socket);
    return [socket, socket.release];
  }

  // The arguments of the next `event`.
  once(emitter, event, what = event) {
    return this.soon(new Promise((resolve) => emitter.once(event, (...args) => resolve(args))), what);
  }

  // The arguments of the client's acknowledged emit.
  ask(socket, event, ...args) {
    return this.soon(
      new Promise((resolve) => socket.emit(event, ...args, (...answer) => resolve(answer))),
      `the acknowledgement of ${event}`,
    );
  }

  // Every argument list of `event` from now on.
  collect(emitter, event) {
    const got = [];
    emitter.on(event, (...args) => got.push(args));
    return got;
  }

  async until(condition, what, deadline = DEADLINE) {
    const end = Date.now() + deadline;
    while (!condition()) {
      if (Date.now() > end) throw new Error(`waited too long for ${what}`);
      await Promise.race([new Promise((resolve) => setTimeout(resolve, 5)), this.failure]);
    }
  }

  upgraded(socket) {
    return this.until(
      () => socket.io.engine.transport.name === "websocket" && !socket.io.engine.upgrading,
      "the upgrade",
    );
  }

  soon(promise, what) {
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => {
        if (!this.ended) reject(new Error(`waited too long for ${what}`));
      }, DEADLINE);
    });
    return Promise.race([promise, late, this.failure]).finally(() => clearTimeout(timer));
  }

  // Tells the test that a point is reached.
  step(name, data) {
    say(JSON.stringify({ id: this.id, step: name, data }));
  }

  // Waits until the test says to go on.
  told_to(name) {
    return this.soon(this.signal(name).promise, `the test's word "${name}"`);
  }

  signal(name) {
    if (!this.told.has(name)) {
      const signal = {};
      signal.promise = new Promise((resolve) => (signal.resolve = resolve));
      this.told.set(name, signal);
    }
    return this.told.get(name);
  }

  end() {
    this.ended = true;
    for (const socket of this.sockets) {
      socket.io.reconnection(false);
      socket.disconnect();
    }
    for (const socket of this.sockets) socket.io.engine?.close();
  }
}

async function start(request) {
  const run = new Run(request);
  running.set(request.id, run);
  let answer;
  try {
    const result = await scenarios[request.scenario](run);
    answer = JSON.stringify({ id: request.id, result: result ?? null });
  } catch (error) {
    const text = error instanceof Error ? error.stack : inspect(error);
    answer = JSON.stringify({ id: request.id, error: text });
  }
  run.end();
  running.delete(request.id);
  say(answer);
}

const broken = (error) => running.forEach((run) => run.fail(error));
process.on("uncaughtException", broken);
process.on("unhandledRejection", broken);

createInterface({ input: process.stdin })
  .on("line", (line) => {
    const request = JSON.parse(line);
    if (request.go) running.get(request.id)?.signal(request.go).resolve();
    else start(request);
  })
  .on("close", () => process.exit(0));
