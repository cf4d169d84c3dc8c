/** A random number in [0, 1). Injected, so that tests are deterministic. */
export type Random = () => number;

export const systemRandom: Random = Math.random;
