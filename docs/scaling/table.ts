/** Results as Markdown. */

import { meanOf, type Row } from "@redis-batch/simulator";

/** Violations in percent / consumer-hours / reversals, each scenario a line, each policy a column. */
export function renderTable(rows: readonly Row[]): string {
  const policies = namesOf(rows, "policy");
  const lines = namesOf(rows, "scenario").map((scenario) => [
    scenario,
    ...policies.map((policy) => {
      const mean = meanOf(rows, scenario, policy);
      if (mean === null) return "";
      const { violationPercent, consumerHours, reversals } = mean;
      return `${violationPercent.toFixed(2)} / ${consumerHours.toFixed(1)} / ${reversals.toFixed(1)}`;
    }),
  ]);
  return table(["scenario", ...policies], lines);
}

// Where this one is late with more than this many percent, nobody can meet the objective; what can be saved is consumers.
const AT_ANY_PRICE = "maximum";
const TOO_LATE = 1;
const REFERENCE = "oracle";

/** Over all scenarios: the mean, and the hours in relation to those of the policy that knows the future, if it took part. */
export function renderTotals(rows: readonly Row[]): string {
  const scenarios = namesOf(rows, "scenario");
  const isOverload = (scenario: string): boolean =>
    (meanOf(rows, scenario, AT_ANY_PRICE)?.violationPercent ?? 0) > TOO_LATE;
  const lines = namesOf(rows, "policy").map((policy) => {
    const means = scenarios.flatMap((scenario) => {
      const mean = meanOf(rows, scenario, policy);
      const best = meanOf(rows, scenario, REFERENCE);
      return mean === null ? [] : [{ scenario, mean, hours: mean.consumerHours / (best?.consumerHours ?? Number.NaN) }];
    });
    const hours = Math.exp(average(means.map((each) => Math.log(each.hours))));
    const violations = means.filter(({ scenario }) => !isOverload(scenario)).map(({ mean }) => mean.violationPercent);
    const late = rows.filter((row) => row.policy === policy && !isOverload(row.scenario));
    return [
      policy,
      average(violations).toFixed(2),
      Math.max(0, ...violations).toFixed(1),
      Number.isNaN(hours) ? "" : hours.toFixed(2),
      average(means.map(({ mean }) => mean.actions)).toFixed(0),
      average(means.map(({ mean }) => mean.reversals)).toFixed(1),
      `${late.filter(({ violationPercent }) => violationPercent > TOO_LATE).length} of ${late.length}`,
      average(means.map(({ mean }) => mean.killedInFlight)).toFixed(1),
    ];
  });
  const head = [
    "policy",
    "late %",
    "worst trace",
    `hours / ${REFERENCE}`,
    "actions",
    "reversals",
    "runs above 1 %",
    "killed",
  ];
  return table(head, lines);
}

/** A Markdown table. */
export function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [row(head), `|${head.map(() => "---").join("|")}|`, ...lines.map(row)].join("\n");
}

/** The names in the order of their first appearance. */
export function namesOf(rows: readonly Row[], what: "scenario" | "policy"): readonly string[] {
  return [...new Set(rows.map((row) => row[what]))];
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
