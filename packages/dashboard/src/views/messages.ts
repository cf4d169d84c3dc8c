/** Entries of a stream, and the pending messages of a group. */
import type { EntryId } from "@redis-batch/core";
import type { StreamClient } from "@redis-batch/core/internal/connection";
import { nullIfForbidden } from "@redis-batch/core/internal/errors";
import { isReservedConsumer, LATER } from "@redis-batch/core/internal/names";
import { entryPages, ReadBudget } from "./entry-pages.ts";
import { type ShownField, showFields, textOfBytes } from "./shown-fields.ts";

/** How many entries are looked at for one answer. */
const MOST_EXAMINED = 5_000;
const PENDING_AT_ONCE = 1_000;
const MOST_PENDING_EXAMINED = 50_000;

export interface ShownMessage {
  readonly id: EntryId;
  readonly atMs: number;
  readonly fields: readonly ShownField[];
}

export interface MessagePage {
  readonly messages: readonly ShownMessage[];
  /** How many entries were looked at. */
  readonly examined: number;
  /** Where the next page starts; `null` if there is none. */
  readonly next: string | null;
}

/** What the page shows of them. */
export interface ShownMessages extends MessagePage {
  /** The command that prints the same; `null` if there is none. */
  readonly command: string | null;
}

export interface MessageQuery {
  readonly stream: string;
  /** As in XRANGE: an id, or `(` before an id to exclude it. `null`: from the end of the stream that comes first. */
  readonly from: string | null;
  readonly newestFirst: boolean;
  readonly limit: number;
  /** Only messages with this field; its value must contain `value`. Hidden fields match nothing. */
  readonly field: string | null;
  readonly value: string;
  readonly mask: readonly string[];
}

export async function readMessages(
  client: Pick<StreamClient, "xrange" | "xrevrange">,
  { stream, from, newestFirst, limit, field, value, mask }: MessageQuery,
): Promise<MessagePage> {
  const messages: ShownMessage[] = [];
  const range = newestFirst ? { from: "-", to: from ?? "+" } : { from: from ?? "-", to: "+" };
  const budget = new ReadBudget(MOST_EXAMINED);
  let examined = 0;
  let last = "";
  for await (const page of entryPages(client, { stream, newestFirst, ...range })) {
    for (const entry of page) {
      const { id, fields } = entry;
      if (messages.length === limit || !budget.spend(entry)) return { messages, examined, next: `(${last}` };
      examined++;
      last = id;
      if (field !== null && !hasField(fields, field, value, mask)) continue;
      messages.push({ id, atMs: timeOfId(id), fields: showFields(fields, mask) });
    }
  }
  return { messages, examined, next: null };
}

/** Where the messages start that the group reads next, as in XRANGE. */
export async function readNext(
  client: Pick<StreamClient, "xinfoGroups">,
  { stream, group }: { readonly stream: string; readonly group: string },
): Promise<string | null> {
  const known = (await client.xinfoGroups({ stream })).find(({ name }) => name === group);
  return known === undefined ? null : `(${known.lastDeliveredId}`;
}

function hasField(fields: readonly Buffer[], field: string, value: string, mask: readonly string[]): boolean {
  if (mask.includes("*") || mask.includes(field.toLowerCase())) return false;
  return fields.some(
    (bytes, at) =>
      at % 2 === 0 && bytes.toString() === field && textOfBytes(fields[at + 1] as Buffer, 1_000_000).includes(value),
  );
}

export interface ShownPending {
  readonly id: EntryId;
  readonly atMs: number;
  /** `null`: under a reserved name, which nobody is: `released` or `later`. */
  readonly consumer: string | null;
  readonly state: "held" | "released" | "later";
  readonly idleMs: number;
  readonly deliveries: number;
  /** When it is due, if it is deferred. */
  readonly dueAtMs: number | null;
}

export interface PendingPage {
  readonly total: number;
  /** Consumers with pending messages, the most first. */
  readonly owners: readonly { readonly consumer: string; readonly pending: number }[];
  readonly messages: readonly ShownPending[];
  readonly examined: number;
  readonly next: string | null;
}

export interface PendingQuery {
  readonly stream: string;
  readonly group: string;
  readonly consumer: string | null;
  readonly minDeliveries: number;
  readonly from: string | null;
  readonly limit: number;
}

/** Pending messages, the oldest first. */
export async function readPending(
  client: Pick<StreamClient, "xpendingSummary" | "xpendingRange" | "dueTimes">,
  { stream, group, consumer, minDeliveries, from, limit }: PendingQuery,
): Promise<PendingPage> {
  const summary = await client.xpendingSummary({ stream, group });
  const owners = [...summary.consumers]
    .map(([name, pending]) => ({ consumer: name, pending }))
    .toSorted((one, other) => other.pending - one.pending);
  const found: Awaited<ReturnType<StreamClient["xpendingRange"]>>[number][] = [];
  let next: string | null = from ?? "-";
  let examined = 0;
  while (next !== null && found.length < limit && examined < MOST_PENDING_EXAMINED) {
    const page = await client.xpendingRange({
      ...{ stream, group, from: next, to: "+", count: PENDING_AT_ONCE },
      ...(consumer === null ? {} : { consumer }),
    });
    next = page.length < PENDING_AT_ONCE ? null : `(${page.at(-1)?.id}`;
    for (const [at, entry] of page.entries()) {
      if (found.length === limit) {
        next = `(${page[at - 1]?.id}`;
        break;
      }
      examined++;
      if (entry.deliveries >= minDeliveries) found.push(entry);
    }
  }
  const ids = found.filter((entry) => entry.consumer === LATER).map(({ id }) => id);
  const due = ids.length === 0 ? null : await nullIfForbidden(client.dueTimes({ stream, group, ids }));
  const messages = found.map(({ id, consumer: owner, idleMs, deliveries }) => ({
    ...{ id, atMs: timeOfId(id), idleMs, deliveries, dueAtMs: due?.get(id) ?? null },
    consumer: isReservedConsumer(owner) || owner === "" ? null : owner,
    state: stateOf(owner),
  }));
  return { total: summary.count, owners, messages, examined, next };
}

function stateOf(owner: string): ShownPending["state"] {
  if (owner === LATER) return "later";
  return isReservedConsumer(owner) || owner === "" ? "released" : "held";
}

const timeOfId = (id: string): number => Number(id.split("-", 1)[0]);
