import type { StreamClient } from "@redis-batch/core/internal/connection";
import type { Run } from "../command.ts";
import { withClient } from "../connection/open.ts";
import { NOTHING_TO_DO, planFirst } from "../plan.ts";
import type { trim } from "../table/monitor.ts";
import { countBefore } from "./count-between.ts";
import { askParts, type Part, partsOf } from "./parts.ts";
import { withMonitor } from "./with-monitor.ts";

export const run: Run<typeof trim> = (call) =>
  withMonitor(call, {}, async (monitor) => {
    const { args, options, terminal, signal } = call;
    const { stream } = args;
    const found = await withClient(call, async (client) =>
      askParts(await partsOf(client, stream), (part) => lookAt(client, part)),
    );
    const parts = found.map(({ part, answer }) => ({ ...part, ...answer }));
    const isWhole = parts.every(({ partition }) => partition !== null);
    // Ids of different partitions cannot be compared.
    const safeId = isWhole ? null : (parts[0]?.safeId ?? null);
    const pinnedBy = parts.find((part) => part.pinnedBy !== null)?.pinnedBy ?? null;
    const length = sum(parts.map((part) => part.length));
    const done = { value: sum(parts.map((part) => part.done.value)), isAll: parts.every((part) => part.done.isAll) };
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
      ...(isWhole ? { table: tableOf(parts) } : {}),
      nothing: done.value === 0 ? NOTHING_TO_DO : undefined,
      notes: parts.every((part) => part.safeId === null)
        ? ["The stream has no group, so nothing counts as finished."]
        : [],
    };
    return planFirst(terminal, options, plan, async () => {
      const report = await monitor.trim({ signal });
      return { facts: [...facts, { key: "dropped", value: report.dropped, unit: "count" }] };
    });
  });

async function lookAt(client: StreamClient, { stream }: Part) {
  // A mistyped name must not look like a stream with nothing to delete.
  const { length } = await client.xinfoStream({ stream });
  const { safeId = null, pinnedBy = null } = (await client.trimToSafePoint({ stream, dryRun: true })) ?? {};
  const done = safeId === null ? { value: 0, isAll: true } : await countBefore(client, stream, safeId);
  return { length, safeId, pinnedBy, done };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);

const tableOf = (parts: readonly (Part & Awaited<ReturnType<typeof lookAt>>)[]) => ({
  key: "partitions",
  columns: [
    { key: "partition", unit: "count" },
    { key: "length", unit: "count" },
    { key: "safeId", title: "needed from" },
    { key: "pinnedBy", title: "needed by" },
    { key: "droppable", title: "can be deleted", unit: "count" },
  ] as const,
  rows: parts.map(({ partition, length, safeId, pinnedBy, done }) => ({
    ...{ partition, length, safeId, pinnedBy, droppable: done.value },
  })),
  none: "The stream has no partitions.",
});
