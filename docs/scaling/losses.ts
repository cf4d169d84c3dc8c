/** Where ours is not the best: what somebody who has to choose should know. */

import { meanOf, type Outcome, type Row } from "@redis-batch/simulator";
import { namesOf } from "./table.ts";

export interface Loss {
  readonly scenario: string;
  readonly what: "late messages" | "consumer-hours" | "reversals";
  readonly policy: string;
  readonly theirs: number;
  readonly ours: number;
}

// Who is later than this (in percentage points) does not win by being cheaper or calmer.
const AS_GOOD = 0.1;
// Differences of the hundredth part are chance.
const SLACK = 0.01;

/** Every trace on which another policy does better than `name` in one way, and not worse in being on time. */
export function lossesOf(rows: readonly Row[], name: string, others: readonly string[]): readonly Loss[] {
  return namesOf(rows, "scenario").flatMap((scenario) => {
    const ours = meanOf(rows, scenario, name);
    if (ours === null) return [];
    const rivals = others.flatMap((policy) => {
      const outcome = meanOf(rows, scenario, policy);
      return outcome === null ? [] : [{ policy, outcome }];
    });
    const onTime = rivals.filter(({ outcome }) => outcome.violationPercent <= ours.violationPercent + AS_GOOD);
    const loss = (what: Loss["what"], among: typeof rivals, of: (outcome: Outcome) => number): readonly Loss[] => {
      const best = among.toSorted((a, b) => of(a.outcome) - of(b.outcome))[0];
      if (best === undefined || of(best.outcome) >= of(ours) * (1 - SLACK) - SLACK) return [];
      return [{ scenario, what, policy: best.policy, theirs: of(best.outcome), ours: of(ours) }];
    };
    return [
      ...loss("late messages", rivals, ({ violationPercent }) => violationPercent),
      ...loss("consumer-hours", onTime, ({ consumerHours }) => consumerHours),
      ...loss("reversals", onTime, ({ reversals }) => reversals),
    ];
  });
}
