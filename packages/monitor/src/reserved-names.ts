/** Messages pending under reserved names: released and deferred ones. */

import { type EntryId, entryIdTimeMs } from "@redis-batch/core";
import type { StreamClient } from "@redis-batch/core/internal/connection";
import { nullIfForbidden } from "@redis-batch/core/internal/errors";
import type { ConsumerInfo } from "@redis-batch/core/internal/groups";
import { LATER, REDRIVE_CONSUMER, RELEASED } from "@redis-batch/core/internal/names";
import type { LaterMessages, ReleasedMessages } from "./report.ts";

// Consumers start claiming anywhere, so the first of them need not have waited longest.
const LOOKED_AT = 100;

type Client = Pick<StreamClient, "xpendingRange" | "readDue">;
type Address = { readonly stream: string; readonly group: string };

/** Counts released messages, and reads some of them. */
export async function readReleased(
  client: Client,
  address: Address,
  infos: readonly ConsumerInfo[],
): Promise<ReleasedMessages> {
  // Earlier versions put redriven messages under the second name.
  const holders = infos.filter(({ name, pending }) => (name === RELEASED || name === REDRIVE_CONSUMER) && pending > 0);
  const pages = await Promise.all(
    holders.map(({ name: consumer }) =>
      client.xpendingRange({ ...address, consumer, from: "-", to: "+", count: LOOKED_AT }),
    ),
  );
  const idleTimes = pages.flat().map(({ idleMs }) => idleMs);
  return {
    messages: holders.reduce((sum, { pending }) => sum + pending, 0),
    oldestMs: idleTimes.length === 0 ? null : Math.max(...idleTimes, 0),
  };
}

/** Counts deferred messages, and reports whether the first is overdue. */
export async function readLater(
  client: Client,
  address: Address,
  infos: readonly ConsumerInfo[],
  nowMs: number,
): Promise<LaterMessages> {
  const messages = infos.find(({ name }) => name === LATER)?.pending ?? 0;
  if (messages === 0) return { messages, oldestAgeMs: null, overdueMs: null };
  const [oldest, times] = await Promise.all([
    client.xpendingRange({ ...address, consumer: LATER, from: "-", to: "+", count: 1 }),
    nullIfForbidden(client.readDue({ ...address, limit: 1 })),
  ]);
  const first = times?.due[0];
  return {
    messages,
    oldestAgeMs: ageOf(oldest[0]?.id ?? null, nowMs),
    overdueMs: first === undefined ? null : Math.max(nowMs - first.atMs, 0),
  };
}

/** Milliseconds since an entry was added; `null` without one. */
export const ageOf = (id: EntryId | null, nowMs: number): number | null =>
  id === null ? null : Math.max(nowMs - entryIdTimeMs(id), 0);
