import type { Decision, Direction } from "../src/index.ts";

/** A decision to go from one number of consumers to another, or to stay. */
export function move(current: number, desired: number): Decision {
  const direction: Direction = desired === current ? "NO_SCALE" : desired > current ? "OUT" : "IN";
  return {
    ...{ strategy: "ratio", direction, current, desired, rate: 0, reason: "a test", binding: "rule" },
    terms: { scaleOutRate: 50, scaleInRate: 10 },
    inputs: { waiting: 0, pending: 0, consumers: current, elsewhere: 0 },
  };
}

/** The first order of the first leader. */
export const ORDER = { stream: "orders", group: "billing", term: 1, sequence: 1 } as const;
