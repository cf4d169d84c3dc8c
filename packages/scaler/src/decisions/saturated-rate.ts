/** What a consumer achieves where none of them tells: while all have enough to do, what comes out is what they can. */

export interface SaturatedMemory {
  /** Messages per second and consumer; 0: nothing is known. */
  readonly perSecond: number;
  /** For how many looks on end all have had enough to do. */
  readonly looks: number;
}

export const NOT_SATURATED: SaturatedMemory = { perSecond: 0, looks: 0 };

interface Output {
  /** Whether more waits than all can take at once. */
  readonly isFull: boolean;
  /** Whether as many were at work at the last look. */
  readonly isSteady: boolean;
  readonly ready: number;
  /** Messages delivered per second of late; `null`: not known. */
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
