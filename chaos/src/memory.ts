/** Whether the workers' memory stays flat: the resident set and the heap of each process, which it notes once a second. */

export interface MemorySample {
  readonly atMs: number;
  readonly rssMiB: number;
  /** Of it, what objects take that are in use, or not yet collected. */
  readonly heapMiB: number;
}

/** The memory of a process that lived through a round: medians, which a batch or a collection more does not move. */
export interface LastingMemory {
  readonly firstThirdMiB: number;
  readonly lastThirdMiB: number;
  readonly firstThirdHeapMiB: number;
  readonly lastThirdHeapMiB: number;
}

/** What one round's processes had. */
export interface RoundMemory {
  readonly samples: number;
  /** 0 without samples. */
  readonly maxMiB: number;
  readonly lasting: readonly LastingMemory[];
}

/** For the last line of output: the medians over all processes that lived through their round; `null` without any. */
export interface MemorySummary {
  readonly samples: number;
  /** How many processes lived through their round. */
  readonly lasting: number;
  readonly firstThirdMiB: number | null;
  readonly lastThirdMiB: number | null;
  readonly firstThirdHeapMiB: number | null;
  readonly lastThirdHeapMiB: number | null;
  readonly maxMiB: number;
}

// Workers do not start, nor end, at the same moment as the round.
const EDGE_RATIO = 0.1;

/**
 * Takes the samples of each process of a round, in the order of time. A process lived through the round when it has
 * samples in the first and in the last tenth of it.
 */
export function measureMemory(processes: readonly (readonly MemorySample[])[]): RoundMemory {
  const all = processes.flat();
  const fromMs = all.reduce((least, { atMs }) => Math.min(least, atMs), Number.POSITIVE_INFINITY);
  const toMs = all.reduce((most, { atMs }) => Math.max(most, atMs), Number.NEGATIVE_INFINITY);
  const at = (ratio: number): number => fromMs + (toMs - fromMs) * ratio;
  const lasting = processes.flatMap((samples): LastingMemory[] => {
    const first = samples[0];
    const last = samples.at(-1);
    if (first === undefined || last === undefined) return [];
    if (first.atMs > at(EDGE_RATIO) || last.atMs < at(1 - EDGE_RATIO)) return [];
    const firstThird = samples.filter(({ atMs }) => atMs <= at(1 / 3));
    const lastThird = samples.filter(({ atMs }) => atMs >= at(2 / 3));
    return [
      {
        firstThirdMiB: median(firstThird.map(({ rssMiB }) => rssMiB)) ?? 0,
        lastThirdMiB: median(lastThird.map(({ rssMiB }) => rssMiB)) ?? 0,
        firstThirdHeapMiB: median(firstThird.map(({ heapMiB }) => heapMiB)) ?? 0,
        lastThirdHeapMiB: median(lastThird.map(({ heapMiB }) => heapMiB)) ?? 0,
      },
    ];
  });
  return { samples: all.length, maxMiB: all.reduce((most, { rssMiB }) => Math.max(most, rssMiB), 0), lasting };
}

export function summariseMemory(rounds: readonly RoundMemory[]): MemorySummary {
  const lasting = rounds.flatMap((round) => round.lasting);
  return {
    samples: rounds.reduce((total, { samples }) => total + samples, 0),
    lasting: lasting.length,
    firstThirdMiB: median(lasting.map(({ firstThirdMiB }) => firstThirdMiB)),
    lastThirdMiB: median(lasting.map(({ lastThirdMiB }) => lastThirdMiB)),
    firstThirdHeapMiB: median(lasting.map(({ firstThirdHeapMiB }) => firstThirdHeapMiB)),
    lastThirdHeapMiB: median(lasting.map(({ lastThirdHeapMiB }) => lastThirdHeapMiB)),
    maxMiB: rounds.reduce((most, { maxMiB }) => Math.max(most, maxMiB), 0),
  };
}

function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((one, other) => one - other);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  return upper === undefined || lower === undefined ? null : Math.round((upper + lower) * 5) / 10;
}
