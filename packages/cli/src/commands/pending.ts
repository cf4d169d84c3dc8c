import type { StreamClient } from "@redis-batch/core/internal/connection";
import { nullIfForbidden } from "@redis-batch/core/internal/errors";
import type { PendingEntry } from "@redis-batch/core/internal/groups";
import { LATER } from "@redis-batch/core/internal/names";
import type { Invocation, Run } from "../command.ts";
import { withClient } from "../connection/open.ts";
import { isoTime, timeOfId } from "../point.ts";
import { describeReservedName, reservedFacts } from "../render/reserved-name.ts";
import type { pending } from "../table/inspect.ts";
import { askParts, type Found, mergeParts, type Part, partsOf, placeOf } from "./parts.ts";
import { repeat } from "./repeat.ts";

type Call = Invocation<typeof pending>;

const ENTRIES_AT_ONCE = 1_000;
// Filters are applied here. After this many entries the answer says where to continue, to spare the server.
const EXAMINED_MOST = 200_000;

export const run: Run<typeof pending> = (call) =>
  withClient(call, async (client) => {
    const parts = await partsOf(client, call.args.stream);
    return repeat(call, () => show(client, call, parts));
  });

async function show(client: StreamClient, call: Call, all: readonly Part[]): Promise<void> {
  const { stream, group } = call.args;
  const summaries = await askParts(all, (part) => client.xpendingSummary({ stream: part.stream, group }));
  const total = summaries.reduce((sum, { answer }) => sum + answer.count, 0);
  const owners = new Map<string, number>();
  for (const [name, count] of summaries.flatMap(({ answer }) => [...answer.consumers])) {
    owners.set(name, (owners.get(name) ?? 0) + count);
  }
  const having = summaries.map(({ part }) => part);
  const { found, next } = await find(client, call, all, having);
  const due = await dueTimes(client, group, found);
  const explained = [...new Set(found.map(({ entry }) => entry.consumer))].flatMap((name) => {
    const meaning = describeReservedName(name);
    return meaning === null ? [] : [`${name}: ${meaning}.`];
  });
  await call.terminal.report(
    {
      facts: [
        { key: "stream", value: stream },
        { key: "group", value: group },
        { key: "pending", value: total, unit: "count" },
        ...reservedFacts(owners),
        { key: "next", value: next },
      ],
      table: {
        key: "messages",
        columns: [
          { key: "id" },
          { key: "consumer" },
          { key: "idleMs", title: "idle", unit: "ms" },
          { key: "deliveries", unit: "count", tone: (count) => (Number(count) > 3 ? "warn" : undefined) },
          { key: "added" },
          { key: "due" },
        ],
        rows: found.map(({ placedId, entry: { id, consumer, idleMs, deliveries } }) => ({
          id: placedId,
          consumer,
          idleMs,
          deliveries,
          added: timeOfId(id),
          due: isoTime(due.get(placedId) ?? 0),
        })),
        none: total === 0 ? "Nothing is pending." : "No messages matched.",
      },
      notes: [...explained, ...(next === null ? [] : [`There may be more: continue with --from ${next}.`])],
    },
    call.options.json,
  );
}

/** When those of them are due that are deferred in Redis, by their ids as they are shown. */
async function dueTimes(
  client: StreamClient,
  group: string,
  found: readonly Found<PendingEntry>[],
): Promise<ReadonlyMap<string, number>> {
  const deferred = found.filter(({ entry }) => entry.consumer === LATER);
  const times = [...new Set(deferred.map(({ part }) => part))].map(async (part) => {
    const those = deferred.filter((one) => one.part === part);
    const ids = those.map(({ entry }) => entry.id);
    const known = await nullIfForbidden(client.dueTimes({ stream: part.stream, group, ids }));
    return those.flatMap(({ placedId, entry }) => {
      const atMs = known?.get(entry.id);
      return atMs === undefined || atMs === null ? [] : [[placedId, atMs] as const];
    });
  });
  return new Map((await Promise.all(times)).flat());
}

/** One page of the messages that the options select, and where the next page starts. */
async function find(client: StreamClient, { args, options }: Call, all: readonly Part[], having: readonly Part[]) {
  const found: Found<PendingEntry>[] = [];
  const from = options.from === undefined ? null : placeOf("--from", options.from, all);
  const count = Math.ceil(ENTRIES_AT_ONCE / having.length);
  const pagesOf = ({ stream }: Part, start: string | null) =>
    pendingFrom(client, { stream, group: args.group, consumer: options.consumer, from: start ?? "-", count });
  let examined = 0;
  for await (const some of mergeParts(having, { from, newestFirst: false }, pagesOf)) {
    for (const one of some) {
      if (found.length === options.limit || examined === EXAMINED_MOST) return { found, next: one.placedId };
      examined++;
      const { idleMs, deliveries } = one.entry;
      if (idleMs >= options["min-idle"] && deliveries >= options["min-deliveries"]) found.push(one);
    }
  }
  return { found, next: null };
}

interface Range {
  readonly stream: string;
  readonly group: string;
  readonly consumer: string | undefined;
  readonly from: string;
  /** Of a page. */
  readonly count: number;
}

async function* pendingFrom(
  client: StreamClient,
  { from: start, count, ...of }: Range,
): AsyncGenerator<readonly PendingEntry[], void, undefined> {
  for (let from = start; ; ) {
    const page = await client.xpendingRange({ ...of, from, to: "+", count });
    const last = page.at(-1);
    if (last === undefined) return;
    yield page;
    if (page.length < count) return;
    from = `(${last.id}`;
  }
}
