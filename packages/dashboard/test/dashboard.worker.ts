/**
 * A dashboard in a process of its own, so that its memory is nobody else's. It prints `url <url>`, `looked <ms>` for each
 * look, and `memory <MiB> <MiB>`, of
 * objects and of buffers after a collection, for each line that it reads.
 */
import { createInterface } from "node:readline";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { startDashboard } from "../src/index.ts";

const [redis = "", intervalMs = ""] = process.argv.slice(2);
setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

const server = await startDashboard({
  ...{ redis, port: 0, intervalMs: Number(intervalMs) },
  observer: (event) => {
    if (event.type === "looked") console.log(`looked ${event.durationMs} ${event.groups}`);
  },
});
console.log(`url ${server.url}`);
for await (const _ of createInterface({ input: process.stdin })) {
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  console.log(`memory ${[heapUsed, arrayBuffers].map((bytes) => (bytes / 1_048_576).toFixed(2)).join(" ")}`);
}
