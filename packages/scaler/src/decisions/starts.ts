/** How long consumers have been starting, told from what was ordered and what works, where nobody follows each of them. */

/** Plain JSON. */
export interface StartsMemory {
  readonly desired: number;
  /** When each that does not work yet was ordered, the earliest first. */
  readonly orderedAtMs: readonly number[];
  /** How long the latest ones took, in milliseconds, the last one last. */
  readonly startUpsMs: readonly number[];
}

export const NO_STARTS: StartsMemory = { desired: 0, orderedAtMs: [], startUpsMs: [] };

const KEPT = 20;

/** Takes in how many were ordered and how many of them work. */
export function followStarts(before: StartsMemory, desired: number, ready: number, nowMs: number): StartsMemory {
  const missing = Math.max(0, desired - ready);
  // What is taken back is taken from those that are farthest from working.
  const takenBack = Math.max(0, before.desired - desired);
  const awaited = before.orderedAtMs.slice(0, Math.max(0, before.orderedAtMs.length - takenBack));
  const arrived = awaited.slice(0, Math.max(0, awaited.length - missing));
  const still = awaited.slice(arrived.length);
  // Ordered since, or fell silent and is replaced.
  const fresh = Array.from({ length: missing - still.length }, () => nowMs);
  return {
    desired,
    orderedAtMs: [...still, ...fresh],
    startUpsMs: [...before.startUpsMs, ...arrived.map((orderedAtMs) => nowMs - orderedAtMs)].slice(-KEPT),
  };
}
