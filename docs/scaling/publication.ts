/** The results as they are published: one JSON object a line, and what is made from them for the guide. */

import { compare, meanOf, POLICIES, type Row, type RunDecision, SCENARIOS } from "@redis-batch/simulator";
import { lossesOf } from "./losses.ts";
import { drawConsumers, type Level } from "./plot.ts";
import { renderTable, renderTotals, table } from "./table.ts";

/** How many consumers one policy kept on one trace. */
interface Course {
  readonly scenario: string;
  readonly policy: string;
  readonly levels: readonly Level[];
}

export interface Publication {
  /** Tells the sources apart from which the results are. */
  readonly sources: string;
  readonly rows: readonly Row[];
  readonly courses: readonly Course[];
}

const SEEDS = [1, 2, 3];
const DRAWN_SCENARIOS = ["step", "burst", "flapping", "bottleneck"];
const DRAWN_POLICIES = ["throughput", "ratio", "keda-lag", "oracle"];
const OURS = "throughput";
const RIVALS = ["ratio", "keda-lag", "keda-expert"];

/** Runs all of it; takes minutes. */
export async function producePublication(sources: string, progress: (row: Row) => void): Promise<Publication> {
  const rows: Row[] = [];
  const courses = DRAWN_SCENARIOS.flatMap((scenario) =>
    DRAWN_POLICIES.map((policy) => ({ scenario, policy, levels: [levelAtFirst(scenario)] })),
  );
  const onDecision = ({ scenario, policy, seed, at, desired }: RunDecision): void => {
    if (seed !== SEEDS[0]) return;
    const course = courses.find((each) => each.scenario === scenario && each.policy === policy);
    if (course === undefined || course.levels.at(-1)?.consumers === desired) return;
    course.levels.push({ at: Math.round(at), consumers: desired });
  };
  for await (const row of compare({ policies: POLICIES, scenarios: SCENARIOS, seeds: SEEDS, onDecision })) {
    rows.push(row);
    progress(row);
  }
  return { sources, rows, courses };
}

function levelAtFirst(name: string): Level {
  return { at: 0, consumers: SCENARIOS.find((scenario) => scenario.name === name)?.firstConsumers ?? 0 };
}

export function encodePublication({ sources, rows, courses }: Publication): string {
  return [{ sources }, ...rows, ...courses].map((line) => `${JSON.stringify(line)}\n`).join("");
}

/** @throws {SyntaxError} when it is not JSON lines */
export function decodePublication(text: string): Publication {
  const [head, ...lines] = text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Partial<Row & Course & Publication>);
  const rows = lines.filter((line) => line.levels === undefined) as Row[];
  return { sources: head?.sources ?? "", rows, courses: lines.filter((line) => line.levels !== undefined) as Course[] };
}

/** What stands between the markers of the guide. */
export function renderGuide({ rows }: Publication): string {
  const who = table(
    ["policy", "description"],
    POLICIES.map(({ name, title }) => [`\`${name}\``, title]),
  );
  const traces = table(
    ["trace", "load and faults"],
    SCENARIOS.map(({ name, title }) => [`\`${name}\``, title]),
  );
  const losses = table(
    ["trace", "measure", "better policy", "its value", "ours"],
    lossesOf(rows, OURS, RIVALS).map(({ scenario, what, policy, theirs, ours }) => [
      scenario,
      what,
      `\`${policy}\``,
      theirs.toFixed(2),
      ours.toFixed(2),
    ]),
  );
  const plots = DRAWN_SCENARIOS.map((name) => `![Consumers over time, ${name}](${plotPath(name)})`);
  return [
    who,
    "Each cell has late messages (those that took longer than the objective) in percent / consumer-hours / moves reversed within ten minutes. Values are the mean of three seeds:",
    renderTable(rows),
    "Over all traces (late messages without `bottleneck`, where no policy can be on time):",
    renderTotals(rows),
    ...plots,
    "### Where it loses",
    "These are the traces on which another policy (except `oracle`) does better in one measure and is late no more often:",
    losses,
    "### The traces",
    traces,
  ].join("\n\n");
}

/** Where a plot lies, beside the guide. */
export function plotPath(scenario: string): string {
  return `scaling/${scenario}.svg`;
}

/** The plots by their scenarios. */
export function drawPlots({ rows, courses }: Publication): ReadonlyMap<string, string> {
  return new Map(
    DRAWN_SCENARIOS.map((name) => {
      const scenario = SCENARIOS.find((each) => each.name === name);
      const panels = courses
        .filter((course) => course.scenario === name)
        .map(({ policy, levels }) => ({ policy, levels, outcome: outcomeOf(rows, name, policy) }));
      return [name, drawConsumers(`${name}: ${scenario?.title ?? ""}`, scenario?.seconds ?? 1, panels)];
    }),
  );
}

function outcomeOf(rows: readonly Row[], scenario: string, policy: string): string {
  const mean = meanOf(rows, scenario, policy);
  if (mean === null) return "";
  return `${mean.violationPercent.toFixed(1)} % late, ${mean.consumerHours.toFixed(1)} consumer-hours`;
}
