/** A process that has a pool, and ends without closing it when a line comes. */
import { once } from "node:events";
import { ProcessPool } from "../src/index.ts";

// It says how often it was asked to stop, and takes longer than the guard takes to look twice.
const WORKER = `
  process.on("SIGTERM", () => {
    console.log("told");
    setTimeout(() => process.exit(), 2_500);
  });
  setInterval(() => {}, 1_000);
  console.log("worker " + process.pid);
`;
const pool = new ProcessPool({ command: process.execPath, args: ["-e", WORKER] });
const order = { stream: "s", group: "g", term: 1, sequence: 1 };
await pool.scale({ desired: 1 }, new AbortController().signal, order);
await once(process.stdin, "data");
process.exit(3);
