/** A process that has a pool, and ends without closing it. */
import { ProcessPool } from "../src/index.ts";

const pool = new ProcessPool({
  command: process.execPath,
  args: ["-e", "setInterval(() => {}, 1000)"],
  observer: (event) => {
    if (event.type !== "workerStarted") return;
    console.log(event.pid);
    process.exit(3);
  },
});
const order = { stream: "s", group: "g", term: 1, sequence: 1 };
await pool.scale({ desired: 1 }, new AbortController().signal, order);
