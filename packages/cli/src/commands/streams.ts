import { NoGroupError, WrongTypeError } from "@redis-batch/core";
import type { StreamClient } from "@redis-batch/core/internal/connection";
import { joinPartitions } from "@redis-batch/core/internal/groups";
import { isOwnKey } from "@redis-batch/core/internal/names";
import type { Invocation, Run } from "../command.ts";
import { withClient } from "../connection/open.ts";
import { timeOfId } from "../point.ts";
import type { Row } from "../render/report.ts";
import type { streams } from "../table/inspect.ts";
import { partsOf } from "./parts.ts";
import { repeat } from "./repeat.ts";

const KEYS_AT_ONCE = 1_000;
const STREAMS_AT_ONCE = 32;

type Call = Invocation<typeof streams>;

export const run: Run<typeof streams> = (call) => withClient(call, (client) => repeat(call, () => show(client, call)));

async function show(client: StreamClient, call: Call): Promise<void> {
  const { match, limit, all } = call.options;
  const { names: found, isAll, hidden } = await findNames(client, { match, limit, all });
  const names = all ? found : await joinPartitions(client, found);
  const rows: Row[] = [];
  for (let at = 0; at < names.length; at += STREAMS_AT_ONCE) {
    const some = await Promise.all(names.slice(at, at + STREAMS_AT_ONCE).map((name) => describe(client, name)));
    rows.push(...some.filter((row) => row !== undefined));
  }
  await call.terminal.report(
    {
      table: {
        key: "streams",
        columns: [
          { key: "stream" },
          { key: "length", unit: "count" },
          { key: "groups", unit: "count" },
          { key: "added", unit: "count" },
          { key: "oldest" },
          { key: "newest" },
        ],
        rows,
        none: match === undefined ? "There are no streams." : "No streams matched.",
      },
      notes: [
        ...(isAll ? [] : [`There are more than ${limit}: narrow the search with --match, or raise --limit.`]),
        ...(hidden === 0 ? [] : [`Left out: ${hidden} of Redis Batch's own streams; --all shows them.`]),
      ],
    },
    call.options.json,
  );
}

interface Wanted {
  readonly match: string | undefined;
  readonly limit: number;
  /** Includes the streams of Redis Batch itself. */
  readonly all: boolean;
}

/** Sorted names without duplicates. */
export async function findNames(client: Pick<StreamClient, "scanStreams">, { match, limit, all }: Wanted) {
  const names = new Set<string>();
  const hidden = new Set<string>();
  let cursor: string | null = null;
  do {
    const page = await client.scanStreams({ match, count: KEYS_AT_ONCE, cursor: cursor ?? undefined });
    for (const name of page.names) (!all && isOwnKey(name) ? hidden : names).add(name);
    cursor = page.cursor;
  } while (cursor !== null && names.size <= limit);
  const sorted = [...names].toSorted();
  return { names: sorted.slice(0, limit), isAll: cursor === null && sorted.length <= limit, hidden: hidden.size };
}

/** A stream, or all partitions of one; `undefined` if it was deleted in the meantime. */
async function describe(client: StreamClient, stream: string): Promise<Row | undefined> {
  const parts = await partsOf(client, stream);
  const infos = (await Promise.all(parts.map((part) => look(client, part.stream)))).filter(
    (info) => info !== undefined,
  );
  if (infos.length === 0) return undefined;
  const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);
  // ISO 8601 sorts as text.
  const oldest = infos.flatMap(({ firstEntryId }) => timeOfId(firstEntryId) ?? []).toSorted();
  const newest = infos.flatMap((info) => (info.length === 0 ? [] : (timeOfId(info.lastGeneratedId) ?? []))).toSorted();
  const added = infos.flatMap(({ entriesAdded }) => entriesAdded ?? []);
  return {
    stream,
    length: sum(infos.map(({ length }) => length)),
    groups: Math.max(...infos.map(({ groups }) => groups)),
    added: added.length < infos.length ? null : sum(added),
    oldest: oldest[0] ?? null,
    newest: newest.at(-1) ?? null,
  };
}

async function look(client: StreamClient, stream: string) {
  try {
    return await client.xinfoStream({ stream });
  } catch (error) {
    if (NoGroupError.is(error) || WrongTypeError.is(error)) return undefined;
    throw error;
  }
}
