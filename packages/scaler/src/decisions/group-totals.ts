/**
 * What all consumers of a group have done together. Each counts from its own start, so that the sums of those that are
 * there now would jump whenever one comes or goes; this goes on counting.
 */

import { NO_WORK, type WorkCounters } from "@redis-batch/core/internal";
import type { ObservedConsumer } from "../observation.ts";

export interface TotalsMemory {
  readonly totals: WorkCounters;
  /** What each was counted at last, by name and incarnation. */
  readonly counted: Readonly<Record<string, { readonly atMs: number; readonly counters: WorkCounters }>>;
}

const NAMES = Object.keys(NO_WORK) as readonly (keyof WorkCounters)[];

export const NO_TOTALS: TotalsMemory = { totals: NO_WORK, counted: {} };

// A consumer that was silent for less goes on from where it was; one that comes after longer is a new one.
const REMEMBER_MS = 900_000;

/**
 * Counts on. A consumer that appears is counted from its beginning, except at the very first look, when nobody knows how
 * long all of them have been at work.
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
