/** The throughput of a consumer if none of them reports it: while all have enough work, their output is their capacity. */

export interface SaturatedMemory {
  /** Messages per second and consumer; 0: unknown. */
  readonly perSecond: number;
  /** For how many passes in a row all have had enough work. */
  readonly looks: number;
}

export const NOT_SATURATED: SaturatedMemory = { perSecond: 0, looks: 0 };

interface Output {
  /** Whether more messages wait than all can take at once. */
  readonly isFull: boolean;
  /** Whether the same number was active in the last pass. */
  readonly isSteady: boolean;
  readonly ready: number;
  /** Messages delivered per second recently; `null`: unknown. */
  readonly perSecond: number | null;
}

const ENOUGH_LOOKS = 5;
const SMOOTHING = 0.3;

/** Exact while they are saturated; otherwise a lower bound, which only ever rises. */
export function measureSaturated(
  memory: SaturatedMemory,
  { isFull, isSteady, ready, perSecond }: Output,
): SaturatedMemory {
  const looks = isFull && isSteady ? memory.looks + 1 : 0;
  if (perSecond === null || perSecond <= 0 || ready <= 0) return { ...memory, looks };
  const each = perSecond / ready;
  if (looks < ENOUGH_LOOKS || memory.perSecond === 0) return { looks, perSecond: Math.max(memory.perSecond, each) };
  return { looks, perSecond: (1 - SMOOTHING) * memory.perSecond + SMOOTHING * each };
}
