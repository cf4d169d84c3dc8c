/**
 * The total work of all consumers of a group. Each consumer counts from its own start, so the sum over the current ones
 * would jump whenever one joins or leaves; this total continues.
 */

import { NO_WORK, type WorkCounters } from "@redis-batch/core/internal/groups";
import type { ObservedConsumer } from "../observation.ts";

export interface TotalsMemory {
  readonly totals: WorkCounters;
  /** The last counts of each consumer, by name and incarnation. */
  readonly counted: Readonly<Record<string, { readonly atMs: number; readonly counters: WorkCounters }>>;
}

const NAMES = Object.keys(NO_WORK) as readonly (keyof WorkCounters)[];

export const NO_TOTALS: TotalsMemory = { totals: NO_WORK, counted: {} };

// A consumer that was silent for less than this continues its counts; after a longer silence it counts as new.
const REMEMBER_MS = 900_000;

/**
 * Adds the consumers' work. A new consumer is counted from its start, except in the very first pass, when it is unknown
 * how long the consumers have been working.
 */
export function countOn(
  memory: TotalsMemory,
  consumers: readonly ObservedConsumer[],
  isFirstLook: boolean,
  nowMs: number,
): TotalsMemory {
  const counted = new Map(Object.entries(memory.counted).filter(([, { atMs }]) => nowMs - atMs <= REMEMBER_MS));
  const totals = { ...memory.totals };
  // In a fixed order, because sums of fractions depend on it.
  const keyed = consumers.map((consumer) => ({ key: `${consumer.name}/${consumer.incarnation}`, consumer }));
  for (const { key, consumer } of keyed.toSorted((a, b) => (a.key < b.key ? -1 : 1))) {
    const { counters } = consumer;
    if (counters === null) continue;
    const before = counted.get(key)?.counters ?? (isFirstLook ? counters : NO_WORK);
    for (const name of NAMES) totals[name] += Math.max(0, counters[name] - before[name]);
    counted.set(key, { atMs: nowMs, counters });
  }
  return { totals, counted: Object.fromEntries(counted) };
}
