/** The canary: a process that only records when its timer fires. */
import { type CanaryLine, Journal } from "./journal.ts";
import type { CanaryTask } from "./tasks.ts";

const task = JSON.parse(process.argv[2] ?? "") as CanaryTask;
const journal = new Journal<CanaryLine>(task.journal);
const ticking = setInterval(() => journal.write({}), task.everyMs);
process.on("SIGTERM", () => {
  clearInterval(ticking);
  journal[Symbol.dispose]();
});
