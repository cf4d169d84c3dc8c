/**
 * Decides which streams the next read asks for, where one connection reads several. The number of entries that a command asks
 * for holds for each of its streams, and one stream that cannot be read refuses the whole command.
 */

/** One stream that is to be read. */
export interface WantedRead {
  /** Maximum number of entries. */
  readonly count: number;
  /** Until when to wait for the first entry, by the local clock; `null`: does not wait. */
  readonly untilMs: number | null;
  /** Whether it has been asked for since it was wanted, and had nothing. */
  readonly wasAsked: boolean;
  /** Whether its last read was refused. */
  readonly isDoubtful: boolean;
}

export interface SharedRead<Wanted> {
  readonly wanted: readonly Wanted[];
  /** Maximum number of entries of each stream. */
  readonly count: number;
  /** How long to wait for the first entry, in milliseconds; `undefined`: not at all. */
  readonly blockMs: number | undefined;
}

// Streams that want less than this share of the largest count are read on their own: the smallest count holds for all.
const SIMILAR = 1 / 2;

/**
 * A stream that was refused before is read alone. Then, without waiting, those that want about equally many, the largest counts
 * first; at last, when none of them has anything, all wait in one read.
 */
export function decideSharedRead<Wanted extends WantedRead>(
  all: readonly Wanted[],
  nowMs: number,
): SharedRead<Wanted> | undefined {
  const doubtful = all.find(({ isDoubtful }) => isDoubtful);
  if (doubtful !== undefined) return { wanted: [doubtful], count: doubtful.count, blockMs: undefined };
  const counts = all.map(({ count }) => count);
  const least = Math.min(...counts);
  const unasked = all.filter(({ wasAsked }) => !wasAsked);
  const mustNotWait = unasked.some(({ count, untilMs }) => untilMs === null || count * SIMILAR > least);
  if (mustNotWait) {
    const most = Math.max(...unasked.map(({ count }) => count));
    const wanted = all.filter(({ count }) => count >= most * SIMILAR && count <= most);
    return { wanted, count: Math.min(...wanted.map(({ count }) => count)), blockMs: undefined };
  }
  const [first] = all.flatMap(({ untilMs }) => (untilMs === null ? [] : [untilMs])).toSorted((a, b) => a - b);
  if (first === undefined) return undefined;
  return { wanted: all, count: least, blockMs: Math.max(Math.ceil(first - nowMs), 1) };
}
