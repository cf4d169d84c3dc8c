import type { StreamClient } from "@redis-batch/core/internal/connection";
import { nullIfForbidden } from "@redis-batch/core/internal/errors";
import type { GroupInfo } from "@redis-batch/core/internal/groups";
import { groupKey, isReservedConsumer } from "@redis-batch/core/internal/names";
import type { Invocation, Run } from "../command.ts";
import { withClient } from "../connection/open.ts";
import { timeOfId } from "../point.ts";
import type { groups } from "../table/inspect.ts";
import { askParts, type Part, partsOf } from "./parts.ts";
import { repeat } from "./repeat.ts";

type Call = Invocation<typeof groups>;

export const run: Run<typeof groups> = (call) =>
  withClient(call, async (client) => {
    const parts = await partsOf(client, call.args.stream);
    return repeat(call, () => show(client, call, parts));
  });

async function show(client: StreamClient, call: Call, parts: readonly Part[]): Promise<void> {
  const { stream } = call.args;
  const answers = await askParts(parts, async ({ stream: one }) => {
    const infos = await client.xinfoGroups({ stream: one });
    const rows = await Promise.all(infos.map((info) => describe(client, one, info)));
    return { rows, length: await client.xlen({ stream: one }) };
  });
  const length = answers.reduce((sum, { answer }) => sum + answer.length, 0);
  const rows = sumUp(answers.flatMap(({ answer }) => answer.rows)).map(
    ({ group, waiting, pending, consumers, deadLetters, lastDelivered, oldestPending }) => ({
      ...{ group, waiting, pending, consumers, deadLetters, lastDelivered, oldestPending },
    }),
  );
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

/** A group in the stream, in one of its partitions, or in all of them. */
interface Described {
  readonly group: string;
  readonly waiting: number | null;
  readonly pending: number;
  /** `null`: it may not be asked; then `consumers` counts reserved names as well. */
  readonly names: ReadonlySet<string> | null;
  readonly consumers: number;
  readonly deadLetters: number | null;
  /** `null`: ids of different partitions cannot be compared. */
  readonly lastDelivered: string | null;
  readonly oldestPending: string | null;
}

/** Each group in all partitions. */
function sumUp(rows: readonly Described[]): readonly Described[] {
  const known = new Map<string, Described>();
  for (const row of rows) {
    const before = known.get(row.group);
    known.set(row.group, before === undefined ? row : addUp(before, row));
  }
  return [...known.values()];
}

function addUp(one: Described, other: Described): Described {
  const names = one.names === null || other.names === null ? null : new Set([...one.names, ...other.names]);
  return {
    ...{ group: one.group, names, lastDelivered: null },
    waiting: one.waiting === null || other.waiting === null ? null : one.waiting + other.waiting,
    pending: one.pending + other.pending,
    consumers: names?.size ?? Math.max(one.consumers, other.consumers),
    deadLetters: one.deadLetters === null || other.deadLetters === null ? null : one.deadLetters + other.deadLetters,
    // ISO 8601 sorts as text.
    oldestPending: [one.oldestPending, other.oldestPending].filter((time) => time !== null).toSorted()[0] ?? null,
  };
}

async function describe(client: StreamClient, stream: string, info: GroupInfo): Promise<Described> {
  const [names, summary, deadLetters] = await Promise.all([
    nullIfForbidden(client.xinfoConsumers({ stream, group: info.name })),
    nullIfForbidden(client.xpendingSummary({ stream, group: info.name })),
    nullIfForbidden(client.xlen({ stream: groupKey("dead", stream, info.name) })),
  ]);
  const known = names === null ? null : new Set(names.flatMap(({ name }) => (isReservedConsumer(name) ? [] : [name])));
  return {
    group: info.name,
    waiting: info.lag,
    pending: info.pending,
    names: known,
    consumers: known?.size ?? info.consumers,
    deadLetters,
    lastDelivered: info.lastDeliveredId,
    oldestPending: timeOfId(summary?.firstId ?? null),
  };
}
