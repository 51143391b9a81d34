// The official server, with its defaults. The port is the argument.
import { createServer } from "node:http";
import { Server } from "socket.io";

const httpServer = createServer();
httpServer.keepAliveTimeout = Number(process.env.BENCH_KEEP_ALIVE) * 1000;
const io = new Server(httpServer, {
  pingInterval: Number(process.env.BENCH_PING_INTERVAL) * 1000,
  serveClient: false,
});

if (process.env.BENCH_REDIS) {
  const { createAdapter } = await import("@socket.io/redis-adapter");
  const { createClient } = await import("redis");
  const publisher = createClient({ url: `redis://${process.env.BENCH_REDIS}` });
  const subscriber = publisher.duplicate();
  await Promise.all([publisher.connect(), subscriber.connect()]);
  io.adapter(createAdapter(publisher, subscriber));
}

io.on("connection", (socket) => {
  socket.on("echo", (data) => socket.emit("echo", data));
  socket.on("ack", (data, acknowledge) => acknowledge(data));
  socket.on("join", (acknowledge) => {
    socket.join("all");
    acknowledge();
  });
  socket.on("broadcast", (data) => io.to("all").emit("broadcast", data));
});

httpServer.listen(Number(process.argv[2]));
