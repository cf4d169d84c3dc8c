/** The canary: a process that does nothing but write down when its timer went off. */
import { type CanaryLine, Journal } from "./journal.ts";
import type { CanaryTask } from "./tasks.ts";

const task = JSON.parse(process.argv[2] ?? "") as CanaryTask;
const journal = new Journal<CanaryLine>(task.journal);
const ticking = setInterval(() => journal.write({}), task.everyMs);
process.on("SIGTERM", () => {
  clearInterval(ticking);
  journal[Symbol.dispose]();
});
