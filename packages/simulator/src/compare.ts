/** Runs every policy on every trace, and sums up the results. */

import { setImmediate } from "node:timers/promises";
import { ConfigError } from "@redis-batch/core";
import type { Policy } from "./policy.ts";
import { type Moment, simulateInSteps } from "./run.ts";
import type { Scenario } from "./scenario.ts";
import type { Outcome } from "./tally.ts";
import { TRACE_LIMITS } from "./trace.ts";
import { generateTrafficInSteps } from "./traffic.ts";

/** The result of one policy on one trace with one seed. */
export interface Row extends Outcome {
  readonly scenario: string;
  readonly policy: string;
  readonly seed: number;
}

/** How far a comparison is. */
export interface CompareProgress {
  /** Runs that have ended. */
  readonly done: number;
  /** Runs in total. */
  readonly runs: number;
  /** The run that is under way. */
  readonly scenario: string;
  readonly policy: string;
  readonly seed: number;
  /** How much of this run is done, 0 to 1. */
  readonly share: number;
}

/** One decision of a policy, and the state of the group at that time. */
export interface RunDecision {
  readonly scenario: string;
  readonly policy: string;
  readonly seed: number;
  /** Since the trace began, in seconds. */
  readonly at: number;
  /** Consumers ordered from then on. */
  readonly desired: number;
  /** Consumers at work. */
  readonly ready: number;
  /** Messages that nobody has read. */
  readonly waiting: number;
}

export interface CompareOptions {
  /** The policies; default: see `POLICIES`. */
  readonly policies: readonly Policy[];
  /** The traces, such as those of `SCENARIOS`. */
  readonly scenarios: readonly Scenario[];
  /** Whole numbers from 0 on. A seed gives the same messages, starts and crashes to every policy and on every machine. */
  readonly seeds: readonly number[];
  /** Aborting it ends the comparison at the next step, within some ten milliseconds. */
  readonly signal?: AbortSignal | undefined;
  /** Called after each step of a run, with its progress. */
  readonly onProgress?: ((progress: CompareProgress) => void) | undefined;
  /** Called with each decision of each run, also with those that change nothing. */
  readonly onDecision?: ((decision: RunDecision) => void) | undefined;
}

/**
 * Runs every policy on every trace with every seed, one after the other, and yields each result as soon as it is
 * known. Between its steps the process can do something else.
 *
 * @throws {ConfigError} naming every problem
 * @throws the signal's reason, when that aborts
 */
export async function* compare(options: CompareOptions): AsyncGenerator<Row, void, undefined> {
  const { policies, scenarios, seeds, signal, onProgress, onDecision } = options;
  const problems = problemsOf(options);
  if (problems.length > 0) throw new ConfigError("compare", problems);
  const runs = policies.length * scenarios.length * seeds.length;
  let done = 0;
  for (const scenario of scenarios) {
    for (const seed of seeds) {
      const traffic = await stepByStep(generateTrafficInSteps(scenario, seed), signal);
      for (const policy of policies) {
        const which = { scenario: scenario.name, policy: policy.name, seed };
        const watch = onDecision && ((moment: Moment): void => onDecision({ ...which, ...moment }));
        const steps = simulateInSteps(scenario, traffic, seed, policy, watch);
        const outcome = await stepByStep(steps, signal, (at) => {
          onProgress?.({ done, runs, ...which, share: at / scenario.seconds });
        });
        done++;
        yield { ...which, ...rounded(outcome) };
        onProgress?.({ done, runs, ...which, share: 1 });
      }
    }
  }
}

/** Takes all steps, and lets other work run after each. */
async function stepByStep<Result>(
  steps: Generator<number, Result, void>,
  signal: AbortSignal | undefined,
  onStep?: (at: number) => void,
): Promise<Result> {
  for (;;) {
    const { done, value } = steps.next();
    if (!done) onStep?.(value);
    await setImmediate();
    signal?.throwIfAborted();
    if (done) return value;
  }
}

function problemsOf({ policies, scenarios, seeds }: CompareOptions): string[] {
  const problems: string[] = [];
  if (policies.length === 0) problems.push("policies must not be empty");
  if (scenarios.length === 0) problems.push("scenarios must not be empty");
  if (seeds.length === 0 || !seeds.every((seed) => Number.isSafeInteger(seed) && seed >= 0)) {
    problems.push("seeds must be whole numbers from 0 on, one at least");
  }
  for (const scenario of scenarios) {
    const { name, minConsumers, maxConsumers, firstConsumers, seconds, batchSize, maxDeliveries, work, startUp } =
      scenario;
    if (!(seconds > 0 && seconds <= TRACE_LIMITS.seconds)) {
      problems.push(`${name}: seconds must be above 0, and ${TRACE_LIMITS.seconds} at most`);
    }
    for (const [what, count] of Object.entries({ batchSize, maxDeliveries })) {
      if (!(Number.isSafeInteger(count) && count >= 1))
        problems.push(`${name}: ${what} must be a whole number from 1 on`);
    }
    const { objective, linger, overhead, grace, leaseSeconds } = scenario;
    const times = {
      objective,
      linger,
      overhead,
      grace,
      leaseSeconds,
      "work.mean": work.mean,
      "startUp.mean": startUp.mean,
    };
    for (const [what, time] of Object.entries(times)) {
      if (!(Number.isFinite(time) && time >= 0)) problems.push(`${name}: ${what} must be seconds, 0 or more`);
    }
    const order = [0, minConsumers, firstConsumers, maxConsumers];
    if (order.some((count, index) => index > 0 && !(count >= (order[index - 1] as number)))) {
      problems.push(`${name}: 0 ≤ minConsumers ≤ firstConsumers ≤ maxConsumers must hold`);
    }
  }
  return problems;
}

/** Rounded, because sums of fractions differ in their last digits from machine to machine. */
function rounded(outcome: Outcome): Outcome {
  const to = (value: number): number => Math.round(value * 10_000) / 10_000;
  const { violationPercent, p99Seconds, consumerHours } = outcome;
  return {
    ...outcome,
    ...{ violationPercent: to(violationPercent), p99Seconds: to(p99Seconds), consumerHours: to(consumerHours) },
  };
}

/** The mean over the seeds of a policy on a trace; `null` if it was not run. */
export function meanOf(rows: readonly Row[], scenario: string, policy: string): Outcome | null {
  const chosen = rows.filter((row) => row.scenario === scenario && row.policy === policy);
  if (chosen.length === 0) return null;
  const mean = (of: (row: Row) => number): number => chosen.reduce((sum, row) => sum + of(row), 0) / chosen.length;
  return {
    messages: mean((row) => row.messages),
    violationPercent: mean((row) => row.violationPercent),
    p99Seconds: mean((row) => row.p99Seconds),
    consumerHours: mean((row) => row.consumerHours),
    actions: mean((row) => row.actions),
    reversals: mean((row) => row.reversals),
    killedInFlight: mean((row) => row.killedInFlight),
  };
}
