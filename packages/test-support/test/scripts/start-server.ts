// A run that starts a server and is then interrupted: prints what the server is, and waits to be killed.
import { dirname } from "node:path";
import { RedisServer } from "../../src/servers/redis-server.ts";

const server = await RedisServer.start({ listen: "socket", persistence: "aof" });
console.log(JSON.stringify({ pid: server.pid, folder: dirname(server.address.path ?? "") }));
process.stdin.on("data", (word) => {
  if (String(word).trim() === "exit") process.exit(0);
  throw new Error("crashed");
});
