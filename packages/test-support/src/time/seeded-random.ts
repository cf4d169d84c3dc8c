/** Chance that can be repeated: the same seed gives the same sequence on every machine. */
export interface SeededRandom {
  /** At least 0, below 1. */
  next(): number;
  /** A whole number, at least 0, below `maxExclusive`. */
  integer(maxExclusive: number): number;
  /** One of the items; there must be one. */
  pick<T>(items: readonly T[]): T;
  /** The same items in another order, as a new array. */
  shuffle<T>(items: readonly T[]): T[];
  bytes(count: number): Uint8Array;
}

/** Chance from a seed (mulberry32: 32 bits of state, plenty for tests, none for secrets). */
export function seededRandom(seed: number): SeededRandom {
  let state = seed >>> 0;

  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  function integer(maxExclusive: number): number {
    if (!(maxExclusive >= 1)) throw new RangeError(`no whole number is at least 0 and below ${maxExclusive}`);
    return Math.floor(next() * maxExclusive);
  }

  function pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new RangeError("nothing to pick from");
    return items[integer(items.length)] as T;
  }

  function shuffle<T>(items: readonly T[]): T[] {
    const left = [...items];
    const shuffled: T[] = [];
    while (left.length > 0) shuffled.push(...left.splice(integer(left.length), 1));
    return shuffled;
  }

  return { next, integer, pick, shuffle, bytes: (count) => Uint8Array.from({ length: count }, () => integer(256)) };
}
