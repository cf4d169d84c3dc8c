/** How long consumers have been starting, derived from the ordered and the active number, if none is tracked individually. */

/** Plain JSON. */
export interface StartsMemory {
  /** How many consumers were ordered last. */
  readonly desired: number;
  /** When each consumer that does not work yet was ordered, earliest first. */
  readonly orderedAtMs: readonly number[];
  /** The latest start-up times, in milliseconds, the newest last. */
  readonly startUpsMs: readonly number[];
}

/** What is known before anything was ordered. */
export const NO_STARTS: StartsMemory = { desired: 0, orderedAtMs: [], startUpsMs: [] };

const KEPT = 20;

/** Updates with the ordered number and the number of active ones. */
export function followStarts(before: StartsMemory, desired: number, ready: number, nowMs: number): StartsMemory {
  const missing = Math.max(0, desired - ready);
  // If the order is reduced, the latest starts are dropped.
  const takenBack = Math.max(0, before.desired - desired);
  const awaited = before.orderedAtMs.slice(0, Math.max(0, before.orderedAtMs.length - takenBack));
  const arrived = awaited.slice(0, Math.max(0, awaited.length - missing));
  const still = awaited.slice(arrived.length);
  // Ordered since, or a replacement for one that fell silent.
  const fresh = Array.from({ length: missing - still.length }, () => nowMs);
  return {
    desired,
    orderedAtMs: [...still, ...fresh],
    startUpsMs: [...before.startUpsMs, ...arrived.map((orderedAtMs) => nowMs - orderedAtMs)].slice(-KEPT),
  };
}
