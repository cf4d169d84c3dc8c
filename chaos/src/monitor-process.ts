/** The monitors of all streams in a process of their own, which clean up and trim on their own while they lead. */
import { Monitor, type MonitorEvent } from "@redis-batch/monitor";
import type { MonitorTask } from "./tasks.ts";

/** What is worth a line: the ledger's reader wants to see who moved what. */
const TOLD = new Set<MonitorEvent["type"]>(["handedOver", "consumerRemoved", "pendingTrimmed", "trimmed", "leading"]);

const task = JSON.parse(process.argv[2] ?? "") as MonitorTask;
const monitors = task.streams.map(
  (stream) =>
    new Monitor({
      redis: task.url,
      stream,
      groups: "all",
      observer(event) {
        if (TOLD.has(event.type)) console.log(JSON.stringify(event));
      },
    }),
);
process.on("SIGTERM", () => {
  for (const monitor of monitors) void monitor.close();
});
await Promise.all(
  monitors.map((monitor) => monitor.run({ intervalMs: task.intervalMs, autoCleanUp: true, autoTrim: true })),
);
