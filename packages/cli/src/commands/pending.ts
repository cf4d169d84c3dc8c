import { isEntryId } from "@redis-batch/core";
import type { StreamClient } from "@redis-batch/core/internal/connection";
import { nullIfForbidden } from "@redis-batch/core/internal/errors";
import type { PendingEntry } from "@redis-batch/core/internal/groups";
import { LATER } from "@redis-batch/core/internal/names";
import type { Invocation, Run } from "../command.ts";
import { withStream } from "../connection/open.ts";
import { Failure } from "../failure.ts";
import { isoTime, timeOfId } from "../point.ts";
import { describeReservedName, reservedFacts } from "../render/reserved-name.ts";
import type { pending } from "../table/inspect.ts";
import { repeat } from "./repeat.ts";

type Call = Invocation<typeof pending>;

const ENTRIES_AT_ONCE = 1_000;
// Filters are applied here. After this many entries the answer says where to continue, to spare the server.
const EXAMINED_MOST = 200_000;

export const run: Run<typeof pending> = (call) => withStream(call, (client) => repeat(call, () => show(client, call)));

async function show(client: StreamClient, call: Call): Promise<void> {
  const { stream, group } = call.args;
  const { from } = call.options;
  if (from !== undefined && !isEntryId(from))
    throw new Failure("usage", "--from must be an entry id such as 1700000000000-0");
  const summary = await client.xpendingSummary({ stream, group });
  const { found, next } = await find(client, call);
  const deferred = found.filter(({ consumer }) => consumer === LATER).map(({ id }) => id);
  const due = deferred.length === 0 ? null : await nullIfForbidden(client.dueTimes({ stream, group, ids: deferred }));
  const explained = [...new Set(found.map(({ consumer }) => consumer))].flatMap((name) => {
    const meaning = describeReservedName(name);
    return meaning === null ? [] : [`${name}: ${meaning}.`];
  });
  await call.terminal.report(
    {
      facts: [
        { key: "stream", value: stream },
        { key: "group", value: group },
        { key: "pending", value: summary.count, unit: "count" },
        ...reservedFacts(summary.consumers),
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
        rows: found.map(({ id, consumer, idleMs, deliveries }) => ({
          id,
          consumer,
          idleMs,
          deliveries,
          added: timeOfId(id),
          due: isoTime(due?.get(id) ?? 0),
        })),
        none: summary.count === 0 ? "Nothing is pending." : "No messages matched.",
      },
      notes: [...explained, ...(next === null ? [] : [`There may be more: continue with --from ${next}.`])],
    },
    call.options.json,
  );
}

/** One page of the messages that the options select, and where the next page starts. */
async function find(client: StreamClient, { args, options }: Call) {
  const found: PendingEntry[] = [];
  let from = options.from ?? "-";
  for (let examined = 0; examined < EXAMINED_MOST; ) {
    const page = await client.xpendingRange({
      stream: args.stream,
      group: args.group,
      consumer: options.consumer,
      ...{ from, to: "+", count: ENTRIES_AT_ONCE },
    });
    for (const entry of page) {
      if (found.length === options.limit) return { found, next: entry.id };
      if (entry.idleMs >= options["min-idle"] && entry.deliveries >= options["min-deliveries"]) found.push(entry);
    }
    const last = page.at(-1);
    if (last === undefined || page.length < ENTRIES_AT_ONCE) return { found, next: null };
    from = `(${last.id}`;
    examined += page.length;
  }
  return { found, next: from.slice(1) };
}
