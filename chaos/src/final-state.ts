/** What the server holds when all is over. */
import type { RedisServer, Reply } from "@redis-batch/test-support";
import type { FinalState } from "./ledger.ts";

const PAGE = 5_000;

/** How much is left to do, and how long the load has been gone from the stream. */
export async function countInFlight(server: RedisServer, stream: string): Promise<number> {
  const group = await groupOf(server, stream);
  if (group === undefined) return Number(await server.command("XLEN", stream));
  const undelivered = (await server.command(
    "XRANGE",
    stream,
    `(${group.lastDelivered}`,
    "+",
    "COUNT",
    PAGE,
  )) as Reply[];
  return group.pending + undelivered.length;
}

export async function readFinalState(server: RedisServer, stream: string, deadLetters: string): Promise<FinalState> {
  const group = await groupOf(server, stream);
  const undelivered = await idsAfter(server, stream, group?.lastDelivered ?? "0-0");
  const pending = group === undefined ? [] : await pendingOf(server, stream, group.name);
  const letters = await entriesAfter(server, deadLetters, "0-0");
  return {
    undelivered,
    pending,
    deadLetters: letters.map(([, fields]) => ({
      key: fields.get("key") ?? "",
      id: fields.get("dead.id") ?? "",
      reason: fields.get("dead.reason") ?? "",
    })),
  };
}

interface Group {
  readonly name: string;
  readonly pending: number;
  readonly lastDelivered: string;
}

async function groupOf(server: RedisServer, stream: string): Promise<Group | undefined> {
  if ((await server.command("EXISTS", stream)) === 0) return undefined;
  const [info] = (await server.command("XINFO", "GROUPS", stream)) as Reply[][];
  if (info === undefined) return undefined;
  const fields = pairs(info);
  return {
    name: String(fields.get("name")),
    pending: Number(fields.get("pending")),
    lastDelivered: String(fields.get("last-delivered-id")),
  };
}

async function pendingOf(server: RedisServer, stream: string, group: string): Promise<FinalState["pending"]> {
  const pending: { id: string; consumer: string }[] = [];
  for (let from = "-"; ; from = `(${pending.at(-1)?.id ?? ""}`) {
    const page = (await server.command("XPENDING", stream, group, from, "+", PAGE)) as [string, string][];
    pending.push(...page.map(([id, consumer]) => ({ id, consumer })));
    if (page.length < PAGE) return pending;
  }
}

async function idsAfter(server: RedisServer, stream: string, after: string): Promise<string[]> {
  return (await entriesAfter(server, stream, after)).map(([id]) => id);
}

async function entriesAfter(
  server: RedisServer,
  stream: string,
  after: string,
): Promise<(readonly [string, ReadonlyMap<string, string>])[]> {
  const entries: (readonly [string, ReadonlyMap<string, string>])[] = [];
  for (let from = after; ; from = entries.at(-1)?.[0] ?? after) {
    const page = (await server.command("XRANGE", stream, `(${from}`, "+", "COUNT", PAGE)) as [string, Reply[]][];
    entries.push(...page.map(([id, fields]) => [id, pairs(fields) as ReadonlyMap<string, string>] as const));
    if (page.length < PAGE) return entries;
  }
}

function pairs(flat: readonly Reply[]): ReadonlyMap<string, Reply> {
  const map = new Map<string, Reply>();
  for (let index = 0; index + 1 < flat.length; index += 2) map.set(String(flat[index]), flat[index + 1] as Reply);
  return map;
}
