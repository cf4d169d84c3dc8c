/** Which consumers of a group are active, which are silent, and whose messages can be claimed. */

import { isAlive, type Registration } from "@redis-batch/core/internal/groups";
import { isReservedConsumer } from "@redis-batch/core/internal/names";
import type { PeerConsumer } from "../executor.ts";
import type { ObservedConsumer } from "../observation.ts";

/** A consumer, as the server knows it. */
export interface ServerConsumer {
  readonly name: string;
  readonly pending: number;
  readonly idleMs: number;
}

export interface ConsumerActivity {
  /** Active consumers: with a fresh heartbeat, or without heartbeats but recently active. */
  readonly ready: number;
  /** Consumers whose heartbeat is overdue. */
  readonly lost: number;
  /** Messages pending for consumers whose lease has expired. */
  readonly reclaimable: number;
  /** How many of the active ones are busy on other streams; a fraction. */
  readonly elsewhere: number;
  /** Whether one of them must be the only consumer; `null`: none is registered. */
  readonly isAlone: boolean | null;
  readonly consumers: readonly ObservedConsumer[];
}

// Two heartbeats may get lost; they are sent every 5 s, or three times per lease if that is shorter.
const OVERDUE_MS = 15_000;
// Assumed for a consumer that does not report it.
const BATCH_SIZE = 100;
const LEAVING: readonly (string | null)[] = ["draining", "failed", "closed"];

/** @param finalReports the final reports of consumers that left recently */
export function classifyConsumers(
  registry: ReadonlyMap<string, Registration>,
  known: readonly ServerConsumer[],
  finalReports: readonly Registration[],
  foreignIdleMs: number,
  nowMs: number,
): ConsumerActivity {
  const fresh = [...registry.values()].filter((each) => !isOverdue(each, nowMs));
  const foreign = known.filter(
    ({ name, idleMs }) => !registry.has(name) && !isReservedConsumer(name) && idleMs <= foreignIdleMs,
  );
  const staying = fresh.filter(({ details }) => !LEAVING.includes(details.state));
  return {
    ready: staying.length + foreign.length,
    lost: registry.size - fresh.length,
    reclaimable: known
      .filter(({ name }) => registry.has(name) && !isAlive(registry.get(name), nowMs))
      .reduce((sum, { pending }) => sum + pending, 0),
    elsewhere: staying.reduce((sum, { details }) => sum + Math.min(1, details.busyElsewhereRatio ?? 0), 0),
    isAlone: registry.size === 0 ? null : [...registry.values()].some(({ details }) => details.isAlone === true),
    consumers: [...fresh, ...finalReports].map(({ consumer, incarnation, details }) => ({
      name: consumer,
      incarnation,
      batchSize: details.batchSize ?? BATCH_SIZE,
      concurrency: details.concurrency ?? 1,
      counters: details.work,
    })),
  };
}

/** Consumers that may be alive: their processes may exist, even if their heartbeats are late. */
export function peersIn(registry: ReadonlyMap<string, Registration>, nowMs: number): readonly PeerConsumer[] {
  return [...registry.values()]
    .filter((each) => isAlive(each, nowMs))
    .map(({ details }) => ({ pool: details.pool, isLeaving: LEAVING.includes(details.state) }));
}

function isOverdue({ atMs, leaseMs }: Registration, nowMs: number): boolean {
  return nowMs - atMs > Math.min(OVERDUE_MS, leaseMs);
}
