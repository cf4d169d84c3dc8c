/** The plain commands of the in-memory Redis. Each runs to its end before the next, as on a server. */
import { CommandError, type EntryId } from "@redis-batch/core";
import type { ConsumerInfo, GroupInfo, PendingEntry } from "@redis-batch/core/internal/groups";
import { idText, type StreamEntry } from "@redis-batch/core/internal/messages";
import { MemoryGroup } from "./memory-group.ts";
import { isAtOrAfter, isAtOrBefore, parseFrom, parseTo } from "./memory-id-range.ts";
import type { MemoryKeyspace } from "./memory-keyspace.ts";
import type {
  Argument,
  PendingSummary,
  StreamEntries,
  StreamInfo,
  TouchConsumerOptions,
  XackOptions,
  XaddOptions,
  XgroupCreateConsumerOptions,
  XgroupCreateOptions,
  XpendingRangeOptions,
  XrangeOptions,
  XreadgroupManyOptions,
  XreadOptions,
} from "./port.ts";

interface StreamName {
  readonly stream: string;
}
interface GroupName extends StreamName {
  readonly group: string;
}

/** What the oldest supported server, Redis 7.0, has beside the stream commands. */
const OTHER_COMMANDS = ["eval", "evalsha", "fcall", "get", "hget", "hgetall", "hset", "set", "time"];
const STREAM_COMMANDS = [
  ...["xack", "xadd", "xautoclaim", "xclaim", "xdel", "xgroup", "xinfo", "xlen", "xpending", "xrange", "xread"],
  ...["xreadgroup", "xrevrange", "xsetid", "xtrim"],
];

export function knowsCommand(name: string): boolean {
  return STREAM_COMMANDS.includes(name) || OTHER_COMMANDS.includes(name);
}

export function xadd(keys: MemoryKeyspace, { stream: name, fields, trim }: XaddOptions): EntryId {
  if (fields.length === 0 || fields.length % 2 !== 0) {
    throw new CommandError("xadd: ERR wrong number of arguments for 'xadd' command", { command: "xadd", reply: "ERR" });
  }
  const stream = keys.streamOrNew(name);
  const id = stream.nextId(keys.nowMs());
  stream.append(id, fields.map(toBytes));
  if (trim !== undefined) stream.trim(trim);
  keys.wake(name);
  return id;
}

function toBytes(argument: Argument): Buffer {
  return Buffer.from(Buffer.isBuffer(argument) ? argument : `${argument}`);
}

/** A reply is the client's own: what it does to the bytes must not reach the stream. */
export function copyOf({ id, fields }: StreamEntry): StreamEntry {
  return { id, fields: fields.map((field) => Buffer.from(field)) };
}

export function xlen(keys: MemoryKeyspace, { stream }: StreamName): number {
  return keys.stream(stream)?.length ?? 0;
}

export function xrange(keys: MemoryKeyspace, { stream, from, to, count }: XrangeOptions): readonly StreamEntry[] {
  return keys.stream(stream)?.range(from, to, count).map(copyOf) ?? [];
}

export function xrevrange(keys: MemoryKeyspace, { stream, from, to, count }: XrangeOptions): readonly StreamEntry[] {
  const entries = keys.stream(stream)?.range(from, to, Number.MAX_SAFE_INTEGER) ?? [];
  return entries.toReversed().slice(0, count).map(copyOf);
}

export function xdel(keys: MemoryKeyspace, { stream, ids }: StreamName & { readonly ids: readonly EntryId[] }): number {
  return keys.stream(stream)?.delete(ids) ?? 0;
}

/** What is there now; `blockMs` is the client's affair. */
export function xreadgroup(
  keys: MemoryKeyspace,
  { streams, group, consumer, count }: XreadgroupManyOptions,
): readonly StreamEntries[] {
  // One that is missing refuses the whole command.
  const groups = streams.map((stream) => ({ stream, group: keys.group({ stream, group }) }));
  return groups
    .map((one) => ({
      stream: one.stream,
      entries: one.group.deliverNew(consumer, count, keys.nowMs()).map(copyOf),
    }))
    .filter(({ entries }) => entries.length > 0);
}

/** The streams that have entries behind their position. */
export function xread(keys: MemoryKeyspace, { positions }: XreadOptions): readonly string[] {
  return [...positions]
    .filter(([stream, id]) => (keys.stream(stream)?.range(`(${id}`, "+", 1).length ?? 0) > 0)
    .map(([stream]) => stream);
}

export function xack(keys: MemoryKeyspace, { stream, group, ids }: XackOptions): number {
  return keys.stream(stream)?.groups.get(group)?.acknowledge(ids.map(idText)) ?? 0;
}

export function xpendingSummary(keys: MemoryKeyspace, options: GroupName): PendingSummary {
  const pending = keys.group(options).pending(keys.nowMs());
  const consumers = new Map<string, number>();
  for (const { consumer } of pending) consumers.set(consumer, (consumers.get(consumer) ?? 0) + 1);
  const [firstId, lastId] = [pending[0]?.id ?? null, pending.at(-1)?.id ?? null];
  return { count: pending.length, firstId, lastId, consumers };
}

export function xpendingRange(keys: MemoryKeyspace, options: XpendingRangeOptions): readonly PendingEntry[] {
  const [from, to] = [parseFrom(options.from), parseTo(options.to)];
  const pending = keys.group(options).pending(keys.nowMs(), options.consumer);
  return pending.filter(({ id }) => isAtOrAfter(id, from) && isAtOrBefore(id, to)).slice(0, options.count);
}

export function xgroupCreate(keys: MemoryKeyspace, { stream: name, group, position }: XgroupCreateOptions): boolean {
  const isWord = position === "start" || position === "end";
  const { id } = parseFrom(isWord ? "-" : position);
  const stream = keys.streamOrNew(name);
  if (stream.groups.has(group)) return false;
  const lastDeliveredId = position === "end" ? stream.lastId : id;
  // Redis knows how many entries lie before the beginning and before the end, and nowhere else.
  const waiting = stream.countAfter(lastDeliveredId);
  const isLagKnown = waiting === 0 || waiting === stream.length;
  stream.groups.set(group, new MemoryGroup(stream, lastDeliveredId, isLagKnown));
  return true;
}

export function xgroupSetId(keys: MemoryKeyspace, { stream: name, group, position }: XgroupCreateOptions): void {
  const stream = keys.existingStream(name);
  const isWord = position === "start" || position === "end";
  keys
    .group({ stream: name, group })
    .setPosition(position === "end" ? stream.lastId : parseFrom(isWord ? "-" : position).id);
}

export function xgroupDestroy(keys: MemoryKeyspace, { stream, group }: GroupName): boolean {
  if (!keys.existingStream(stream).groups.has(group)) return false;
  keys.destroyGroup(stream, group);
  return true;
}

export function xgroupCreateConsumer(keys: MemoryKeyspace, options: XgroupCreateConsumerOptions): boolean {
  return keys.group(options).createConsumer(options.consumer, keys.nowMs());
}

export function touchConsumer(keys: MemoryKeyspace, options: TouchConsumerOptions): void {
  keys.group(options).touchConsumer(options.consumer, keys.nowMs());
}

export function xinfoStream(keys: MemoryKeyspace, { stream: name }: StreamName): StreamInfo {
  const stream = keys.existingStream(name);
  const firstEntryId = stream.range("-", "+", 1)[0]?.id ?? null;
  const lastEntryId = stream.range("-", "+", Number.MAX_SAFE_INTEGER).at(-1)?.id ?? null;
  const { length, lastId, added, groups } = stream;
  return { length, lastGeneratedId: lastId, entriesAdded: added, firstEntryId, lastEntryId, groups: groups.size };
}

export function xinfoGroups(keys: MemoryKeyspace, { stream: name }: StreamName): readonly GroupInfo[] {
  const stream = keys.existingStream(name);
  return [...stream.groups].map(([group, { consumers, pendingCount, lastDeliveredId, lag }]) => ({
    ...{ name: group, consumers: consumers.size, pending: pendingCount, lastDeliveredId },
    ...{ entriesRead: lag === null ? null : stream.added - lag, lag },
  }));
}

export function xinfoConsumers(keys: MemoryKeyspace, options: GroupName): readonly ConsumerInfo[] {
  const group = keys.group(options);
  const nowMs = keys.nowMs();
  return [...group.consumers].map(([name, { seenAtMs, gotAtMs }]) => ({
    name,
    pending: group.pending(nowMs, name).length,
    idleMs: nowMs - seenAtMs,
    inactiveMs: gotAtMs === null ? null : nowMs - gotAtMs,
    idleSince: "attempt",
  }));
}
