/** A monitor in a process of its own, that cleans up and trims on its own while it leads. */
import { Monitor, type MonitorEvent } from "@redis-batch/monitor";
import type { MonitorTask } from "./tasks.ts";

/** What is worth a line: the ledger's reader wants to see who moved what. */
const TOLD = new Set<MonitorEvent["type"]>(["handedOver", "consumerRemoved", "pendingTrimmed", "trimmed", "leading"]);

const task = JSON.parse(process.argv[2] ?? "") as MonitorTask;
const monitor = new Monitor({
  redis: task.url,
  stream: task.stream,
  groups: "all",
  observer(event) {
    if (TOLD.has(event.type)) console.log(JSON.stringify(event));
  },
});
process.on("SIGTERM", () => void monitor.close());
await monitor.run({ intervalMs: task.intervalMs, autoCleanUp: true, autoTrim: true });
