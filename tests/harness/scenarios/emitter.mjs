// The official emitter: a process without clients that publishes on Redis.

const plain = (value) =>
  value?.bytes !== undefined ? Buffer.from(value.bytes, "hex") : value?.date ? new Date(value.date) : value;

// Each of params.chains begins with a namespace; a step without arguments may be a property.
export async function emitter(t) {
  const { Emitter } = t.require("@socket.io/redis-emitter");
  const { createClient } = t.require("@redis/client");
  const client = createClient({ url: t.params.redis });
  await client.connect();
  const published = [];
  const publisher = { publish: (...args) => published.push(client.publish(...args)) };
  try {
    for (const [namespace, ...steps] of t.params.chains) {
      let target = new Emitter(publisher, t.params.options).of(namespace);
      for (const [name, ...args] of steps) {
        const found = target[name];
        target = typeof found === "function" ? found.apply(target, args.map(plain)) : found;
      }
    }
    return await Promise.all(published);
  } finally {
    client.destroy();
  }
}
