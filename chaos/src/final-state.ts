/** The state of the server at the end. */
import type { RedisServer, Reply } from "@redis-batch/test-support";
import { entryName } from "./entry.ts";
import type { Intent } from "./intent.ts";
import { deadLettersOf, registryOf } from "./keys.ts";
import type { FinalState } from "./ledger.ts";
import type { ConsumerAtUnrest, InFlightMessage, Unrest } from "./unrest.ts";

/** The server that has the streams, whichever it is. */
type Commands = Pick<RedisServer, "command">;

const PAGE = 5_000;
/** How many messages in flight are examined one by one. */
const LOOKED_AT = 10;

/** How much is left to do, and how long the load has been gone from the stream. */
export async function countInFlight(server: Commands, streams: readonly string[]): Promise<number> {
  const counts = await Promise.all(streams.map((stream) => countOf(server, stream)));
  return counts.reduce((sum, count) => sum + count, 0);
}

async function countOf(server: Commands, stream: string): Promise<number> {
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

/** What is left to do with a message in flight. */
export interface MessageLeft {
  readonly intent: Intent;
  readonly orderKey: string;
}

/** What the messages in flight ask for. */
export async function readMessagesLeft(server: Commands, streams: readonly string[]): Promise<readonly MessageLeft[]> {
  return (await Promise.all(streams.map((stream) => messagesLeftOf(server, stream)))).flat();
}

async function messagesLeftOf(server: Commands, stream: string): Promise<readonly MessageLeft[]> {
  const group = await groupOf(server, stream);
  const pending = group === undefined ? [] : await pendingOf(server, stream, group.name);
  const entries = (await entriesAfter(server, stream, group?.lastDelivered ?? "0-0")).map(([, fields]) => fields);
  for (const { id } of pending) {
    const [entry] = (await server.command("XRANGE", stream, id, id)) as [string, Reply[]][];
    if (entry !== undefined) entries.push(pairs(entry[1]) as ReadonlyMap<string, string>);
  }
  return entries.map((fields) => ({
    intent: fields.get("intent") as Intent,
    orderKey: `${stream} ${fields.get("orderKey") ?? ""}`,
  }));
}

/** The messages in flight, their consumers, and the server's data about these. */
export async function readUnrest(
  server: Commands,
  streams: readonly string[],
): Promise<Omit<Unrest, "workers" | "monitors">> {
  const all = await Promise.all(streams.map((stream) => unrestOf(server, streams, stream)));
  return {
    total: all.reduce((sum, { total }) => sum + total, 0),
    messages: all.flatMap(({ messages }) => messages).slice(0, LOOKED_AT),
    consumers: all.flatMap(({ consumers }) => consumers),
    leases: await readLeases(server),
  };
}

async function unrestOf(
  server: Commands,
  streams: readonly string[],
  stream: string,
): Promise<Pick<Unrest, "total" | "messages" | "consumers">> {
  const group = await groupOf(server, stream);
  const pending = group === undefined ? [] : await pendingOf(server, stream, group.name);
  const undelivered = await idsAfter(server, stream, group?.lastDelivered ?? "0-0");
  const first = [...pending.map(({ id }) => id), ...undelivered].slice(0, LOOKED_AT);
  const messages = first.map((id) => readMessage(server, streams, stream, id, group?.name));
  return {
    total: pending.length + undelivered.length,
    messages: await Promise.all(messages),
    consumers:
      group === undefined ? [] : await readConsumers(server, stream, group.name, registryOf(stream, group.name)),
  };
}

async function readMessage(
  server: Commands,
  streams: readonly string[],
  stream: string,
  id: string,
  group: string | undefined,
): Promise<InFlightMessage> {
  const [entry] = (await server.command("XRANGE", stream, id, id)) as [string, Reply[]][];
  const fields = pairs(entry?.[1] ?? []);
  const told = {
    id: entryName(streams, stream, id),
    key: String(fields.get("name") ?? ""),
    intent: String(fields.get("intent") ?? ""),
  };
  if (group === undefined) return { ...told, pending: undefined };
  const [held] = (await server.command("XPENDING", stream, group, id, id, 1)) as [string, string, number, number][];
  if (held === undefined) return { ...told, pending: undefined };
  const [, consumer, idleMs, deliveries] = held;
  return { ...told, pending: { consumer, idleMs, deliveries } };
}

async function readConsumers(
  server: Commands,
  stream: string,
  group: string,
  registry: string,
): Promise<readonly ConsumerAtUnrest[]> {
  const known = ((await server.command("XINFO", "CONSUMERS", stream, group)) as Reply[][]).map(pairs);
  const fields = pairs((await server.command("HGETALL", registry)) as Reply[]);
  const registered = new Map([...fields].filter(([name]) => !name.startsWith("rb:")));
  const [seconds, micros] = (await server.command("TIME")) as [string, string];
  const nowMs = Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
  const pending = new Map(known.map((info) => [String(info.get("name")), Number(info.get("pending"))]));
  const names = new Set([...pending.keys(), ...registered.keys()]);
  return [...names].map((name) => {
    const told = registered.get(name);
    const silentMs = told === undefined ? undefined : nowMs - (JSON.parse(String(told)) as { at: number }).at;
    return { name, pending: pending.get(name) ?? 0, silentMs };
  });
}

async function readLeases(server: Commands): Promise<Unrest["leases"]> {
  const keys = (await server.command("KEYS", "rb:*:lease:*")) as string[];
  return Promise.all(keys.map(async (key) => ({ key, holder: String(await server.command("GET", key)) })));
}

/** @param serverAheadMs how much the server's clock is ahead of the journals' */
export async function readFinalState(
  server: Commands,
  streams: readonly string[],
  group: string,
  serverAheadMs: number,
): Promise<FinalState> {
  const all = await Promise.all(streams.map((stream) => finalStateOf(server, streams, stream, group, serverAheadMs)));
  return {
    undelivered: all.flatMap(({ undelivered }) => undelivered),
    pending: all.flatMap(({ pending }) => pending),
    deadLetters: all.flatMap(({ deadLetters }) => deadLetters),
  };
}

async function finalStateOf(
  server: Commands,
  streams: readonly string[],
  stream: string,
  groupName: string,
  serverAheadMs: number,
): Promise<FinalState> {
  const nameOf = (id: string): string => entryName(streams, stream, id);
  const group = await groupOf(server, stream);
  const undelivered = await idsAfter(server, stream, group?.lastDelivered ?? "0-0");
  const pending = group === undefined ? [] : await pendingOf(server, stream, group.name);
  const letters = await entriesAfter(server, deadLettersOf(stream, groupName), "0-0");
  return {
    undelivered: undelivered.map(nameOf),
    pending: pending.map(({ id, consumer }) => ({ id: nameOf(id), consumer })),
    deadLetters: letters.map(([, fields]) => ({
      key: fields.get("name") ?? "",
      id: nameOf(fields.get("dead.id") ?? ""),
      reason: fields.get("dead.reason") ?? "",
      atMs: Number(fields.get("dead.at")) - serverAheadMs,
    })),
  };
}

interface Group {
  readonly name: string;
  readonly pending: number;
  readonly lastDelivered: string;
}

async function groupOf(server: Commands, stream: string): Promise<Group | undefined> {
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

async function pendingOf(server: Commands, stream: string, group: string): Promise<FinalState["pending"]> {
  const pending: { id: string; consumer: string }[] = [];
  for (let from = "-"; ; from = `(${pending.at(-1)?.id ?? ""}`) {
    const page = (await server.command("XPENDING", stream, group, from, "+", PAGE)) as [string, string][];
    pending.push(...page.map(([id, consumer]) => ({ id, consumer })));
    if (page.length < PAGE) return pending;
  }
}

async function idsAfter(server: Commands, stream: string, after: string): Promise<string[]> {
  return (await entriesAfter(server, stream, after)).map(([id]) => id);
}

async function entriesAfter(
  server: Commands,
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
