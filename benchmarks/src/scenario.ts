/** A comparison of two contenders: rounds in turn on one server, and their results. */
import type { RedisServer } from "@redis-batch/test-support";
import type { Redis } from "ioredis";
import type { Figures, Metric, Target } from "./figures.ts";
import type { Probe } from "./probe.ts";
import { isNoisy, type Pair, type Row, rowsOf } from "./rows.ts";

/** What scenarios stand on. */
export interface Bench {
  readonly server: RedisServer;
  /** Whether it is a node of a Cluster. */
  readonly isCluster?: boolean;
  /** A connection of the benchmark's own, to fill streams and to ask. */
  readonly redis: Redis;
  /** A fraction of the messages. */
  readonly quick: boolean;
  /** The folder that holds the Python original's package. */
  readonly original: string | undefined;
}

/** Both contenders, with all that they need in place. */
export interface Arena {
  readonly ours: (round: number) => Promise<Figures>;
  readonly reference: (round: number) => Promise<Figures>;
  /** Removes what was put in place. */
  readonly close?: () => Promise<void>;
}

export interface Scenario {
  readonly name: string;
  readonly what: string;
  readonly oursName: string;
  readonly referenceName: string;
  readonly targets: readonly Target[];
  /** The figures that it is about; absent: all but the rare ones. */
  readonly metrics?: readonly Metric[];
  /** How many rounds are enough where each takes minutes. */
  readonly mostRounds?: number;
  /** Puts everything in place. @throws {CannotRunError} when this machine lacks something */
  readonly prepare: (bench: Bench) => Promise<Arena>;
}

/** This machine lacks something that the scenario needs; the message says what. */
export class CannotRunError extends Error {
  override readonly name = "CannotRunError";
}

export interface RunOptions {
  readonly rounds: number;
  /** No round begins after this moment of `performance.now()`, except the first. */
  readonly untilMs: number;
  readonly probe: Probe;
  readonly progress: (round: number) => void;
}

/** Runs the scenario: one pair to warm up, unless it has to be quick, then `rounds` pairs, in turn. */
export async function runScenario(
  scenario: Scenario,
  bench: Bench,
  { rounds, untilMs, probe, progress }: RunOptions,
): Promise<readonly Row[]> {
  const arena = await scenario.prepare(bench);
  const pairs: Pair[] = [];
  const slowdowns: number[] = [];
  const most = Math.min(rounds, scenario.mostRounds ?? rounds);
  try {
    // The first pair warms the server's and the machine's caches.
    for (let round = bench.quick || scenario.mostRounds !== undefined ? 1 : 0; round <= most; round++) {
      if (pairs.length > 0 && performance.now() > untilMs) break;
      const before = await probe.slowdown();
      const ours = await arena.ours(round);
      const between = await probe.slowdown();
      const reference = await arena.reference(round);
      const after = await probe.slowdown();
      if (round === 0) continue;
      pairs.push({ ours, reference });
      slowdowns.push(before, between, after);
      progress(round);
    }
  } finally {
    await arena.close?.();
  }
  return rowsOf(scenario, pairs, isNoisy(slowdowns));
}
