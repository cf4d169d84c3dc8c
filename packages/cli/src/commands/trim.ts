import type { Run } from "../command.ts";
import { withStream } from "../connection/open.ts";
import { NOTHING_TO_DO, planFirst } from "../plan.ts";
import type { trim } from "../table/monitor.ts";
import { countBefore } from "./count-between.ts";
import { withMonitor } from "./with-monitor.ts";

export const run: Run<typeof trim> = (call) =>
  withMonitor(call, {}, async (monitor) => {
    const { args, options, terminal, signal } = call;
    const { stream } = args;
    const { safeId, pinnedBy } = await monitor.trim({ dryRun: true });
    const { length, done } = await withStream(call, async (client) => ({
      // A mistyped name must not look like a stream with nothing to delete.
      length: (await client.xinfoStream({ stream })).length,
      done: safeId === null ? { value: 0, isAll: true } : await countBefore(client, stream, safeId),
    }));
    const facts = [
      { key: "stream", value: stream },
      { key: "length", value: length, unit: "count" },
      { key: "safeId", title: "needed from", value: safeId },
      { key: "pinnedBy", title: "needed by", value: pinnedBy },
    ] as const;
    const plan = {
      facts: [
        ...facts,
        { key: "droppable", title: "can be deleted", value: done.value, unit: "count" },
        { key: "droppableExact", title: "exact count", value: done.isAll },
      ] as const,
      nothing: done.value === 0 ? NOTHING_TO_DO : undefined,
      notes: safeId === null ? ["The stream has no group, so nothing counts as finished."] : [],
    };
    return planFirst(terminal, options, plan, async () => {
      const report = await monitor.trim({ signal });
      return { facts: [...facts, { key: "dropped", value: report.dropped, unit: "count" }] };
    });
  });
