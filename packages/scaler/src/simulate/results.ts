/** Many runs, and what they amount to. */

import type { Policy } from "./policy.ts";
import { simulate } from "./run.ts";
import type { Scenario } from "./scenario.ts";
import type { Outcome } from "./tally.ts";
import { generateTraffic } from "./traffic.ts";

/** One run. */
export interface Row extends Outcome {
  readonly scenario: string;
  readonly policy: string;
  readonly seed: number;
}

/** Runs every policy on every trace with every seed. */
export function* runAll(
  policies: readonly Policy[],
  scenarios: readonly Scenario[],
  seeds: readonly number[],
): Generator<Row> {
  for (const scenario of scenarios) {
    for (const seed of seeds) {
      const traffic = generateTraffic(scenario, seed);
      for (const policy of policies) {
        const outcome = simulate(scenario, traffic, seed, policy);
        yield { scenario: scenario.name, policy: policy.name, seed, ...rounded(outcome) };
      }
    }
  }
}

/** To what can be read; sums of fractions differ in the last digits from machine to machine. */
function rounded(outcome: Outcome): Outcome {
  const to = (value: number): number => Math.round(value * 10_000) / 10_000;
  return { ...outcome, violationPercent: to(outcome.violationPercent), consumerHours: to(outcome.consumerHours) };
}

/** The mean over the seeds. */
export function meanOf(rows: readonly Row[], scenario: string, policy: string): Outcome | null {
  const chosen = rows.filter((row) => row.scenario === scenario && row.policy === policy);
  if (chosen.length === 0) return null;
  const mean = (of: (row: Row) => number): number => chosen.reduce((sum, row) => sum + of(row), 0) / chosen.length;
  return {
    violationPercent: mean((row) => row.violationPercent),
    consumerHours: mean((row) => row.consumerHours),
    actions: mean((row) => row.actions),
    reversals: mean((row) => row.reversals),
    killedInFlight: mean((row) => row.killedInFlight),
  };
}

/** The names in the order of their first appearance. */
export function namesOf(rows: readonly Row[], what: "scenario" | "policy"): readonly string[] {
  return [...new Set(rows.map((row) => row[what]))];
}
