/** A scaler with a process pool as a process of its own: five workers at least, six at most. */
import { fileURLToPath } from "node:url";
import { ProcessPool, Scaler } from "../src/index.ts";

const { REDIS_URL = "", STREAM = "", GROUP = "", DRAIN_MS = "60000" } = process.env;
const stop = new AbortController();
process.once("SIGTERM", () => stop.abort());
await using pool = new ProcessPool({
  command: process.execPath,
  args: [...process.execArgv, fileURLToPath(new URL("pool-member.worker.ts", import.meta.url))],
  ...{ drainMs: Number(DRAIN_MS), restartBaseMs: 100, restartCapMs: 100 },
  observer: (event) => console.log(JSON.stringify(event)),
});
await using scaler = new Scaler({
  ...{ redis: REDIS_URL, stream: STREAM, group: GROUP, minConsumers: 5, maxConsumers: 6 },
  observer: (event) => console.log(JSON.stringify(event)),
});
await scaler.run({ intervalMs: 200, leaseMs: 1_000, executor: pool, signal: stop.signal });
