import type { StreamClient } from "@redis-batch/core/internal/connection";
import { nullIfForbidden } from "@redis-batch/core/internal/errors";
import type { GroupInfo } from "@redis-batch/core/internal/groups";
import { groupKey, isReservedConsumer } from "@redis-batch/core/internal/names";
import type { Invocation, Run } from "../command.ts";
import { withStream } from "../connection/open.ts";
import { timeOfId } from "../point.ts";
import type { Row } from "../render/report.ts";
import type { groups } from "../table/inspect.ts";
import { repeat } from "./repeat.ts";

type Call = Invocation<typeof groups>;

export const run: Run<typeof groups> = (call) => withStream(call, (client) => repeat(call, () => show(client, call)));

async function show(client: StreamClient, call: Call): Promise<void> {
  const { stream } = call.args;
  const infos = await client.xinfoGroups({ stream });
  const length = await client.xlen({ stream });
  const rows = await Promise.all(infos.map((info) => describe(client, stream, info)));
  await call.terminal.report(
    {
      facts: [
        { key: "stream", value: stream },
        { key: "length", value: length, unit: "count" },
      ],
      table: {
        key: "groups",
        columns: [
          { key: "group" },
          { key: "waiting", unit: "count" },
          { key: "pending", unit: "count" },
          { key: "consumers", unit: "count" },
          { key: "deadLetters", unit: "count", tone: (count) => (Number(count) > 0 ? "warn" : undefined) },
          { key: "lastDelivered" },
          { key: "oldestPending" },
        ],
        rows,
        none: "The stream has no groups.",
      },
    },
    call.options.json,
  );
}

async function describe(client: StreamClient, stream: string, info: GroupInfo): Promise<Row> {
  const [names, summary, deadLetters] = await Promise.all([
    nullIfForbidden(client.xinfoConsumers({ stream, group: info.name })),
    nullIfForbidden(client.xpendingSummary({ stream, group: info.name })),
    nullIfForbidden(client.xlen({ stream: groupKey("dead", stream, info.name) })),
  ]);
  return {
    group: info.name,
    waiting: info.lag,
    pending: info.pending,
    consumers: names?.filter(({ name }) => !isReservedConsumer(name)).length ?? info.consumers,
    deadLetters,
    lastDelivered: info.lastDeliveredId,
    oldestPending: timeOfId(summary?.firstId ?? null),
  };
}
