import type { Figures } from "./figures.ts";
import { quantileOf } from "./statistics.ts";

/** The time all processes of this machine agree on, in nanoseconds, as a message carries it. */
export function stampNow(): string {
  return String(process.hrtime.bigint());
}

/** Collects how long messages took that carry when they were sent; the first `warmUp` do not count. */
export function latencies(warmUp: number): { arrived(stamp: string): void; figures(): Figures } {
  const tookMs: number[] = [];
  return {
    arrived: (stamp) => void tookMs.push(Number(process.hrtime.bigint() - BigInt(stamp)) / 1e6),
    figures: () => {
      const counted = tookMs.slice(warmUp);
      return { "latency p50 ms": quantileOf(counted, 0.5), "latency p99 ms": quantileOf(counted, 0.99) };
    },
  };
}
