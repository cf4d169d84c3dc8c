/** A number in [0, 1). Injected wherever chance matters, so that a test can decide what chance does. */
export type Random = () => number;

export const systemRandom: Random = Math.random;
