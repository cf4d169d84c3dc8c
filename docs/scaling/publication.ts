/** The results as they are published: one JSON object a line, and what is made from them for the guide. */

import { compare, meanOf, POLICIES, type Row, type RunDecision, SCENARIOS } from "@redis-batch/simulator";
import { lossesOf } from "./losses.ts";
import { drawConsumers, type Level } from "./plot.ts";
import { renderTable, renderTotals, table } from "./table.ts";
import { UNSEEN } from "./unseen.ts";

/** How many consumers one policy kept on one trace. */
interface Course {
  readonly scenario: string;
  readonly policy: string;
  readonly levels: readonly Level[];
}

export interface Publication {
  /** Tells the sources apart from which the results are. */
  readonly sources: string;
  /** The commit of these sources, by which the seeds were chosen: they could not be known before. */
  readonly commit: string;
  readonly rows: readonly Row[];
  readonly courses: readonly Course[];
}

const SEEDS = 3;
const HEX_DIGITS = 6;
const ALL = [...SCENARIOS, ...UNSEEN];
const DRAWN_SCENARIOS = ["step", "burst", "flapping", "bottleneck"];
const DRAWN_POLICIES = ["throughput", "ratio", "keda-lag", "oracle"];
const OURS = "throughput";
const HOW_TO_READ =
  "Over these traces. Late messages are counted without overload, that is where more than 1 % is late even with the maximum of consumers all the time (`maximum`). *Runs above 1 %* are those of a trace with a seed:";
const RIVALS = ["ratio", "keda-lag", "keda-pending", "keda-expert"];

/** The seeds of a commit, by its hash: nobody can choose them, and nobody knows them before the commit. */
export function seedsOf(commit: string): readonly number[] {
  return Array.from({ length: SEEDS }, (_, index) =>
    Number.parseInt(commit.slice(index * HEX_DIGITS, (index + 1) * HEX_DIGITS), 16),
  );
}

/** Runs all of it; takes minutes. */
export async function producePublication(
  { sources, commit }: Pick<Publication, "sources" | "commit">,
  progress: (row: Row) => void,
): Promise<Publication> {
  const seeds = seedsOf(commit);
  const rows: Row[] = [];
  const courses = DRAWN_SCENARIOS.flatMap((scenario) =>
    DRAWN_POLICIES.map((policy) => ({ scenario, policy, levels: [levelAtFirst(scenario)] })),
  );
  const onDecision = ({ scenario, policy, seed, at, desired }: RunDecision): void => {
    if (seed !== seeds[0]) return;
    const course = courses.find((each) => each.scenario === scenario && each.policy === policy);
    if (course === undefined || course.levels.at(-1)?.consumers === desired) return;
    course.levels.push({ at: Math.round(at), consumers: desired });
  };
  for await (const row of compare({ policies: POLICIES, scenarios: ALL, seeds, onDecision })) {
    rows.push(row);
    progress(row);
  }
  return { sources, commit, rows, courses };
}

function levelAtFirst(name: string): Level {
  return { at: 0, consumers: SCENARIOS.find((scenario) => scenario.name === name)?.firstConsumers ?? 0 };
}

export function encodePublication({ sources, commit, rows, courses }: Publication): string {
  return [{ sources, commit }, ...rows, ...courses].map((line) => `${JSON.stringify(line)}\n`).join("");
}

/** @throws {SyntaxError} when it is not JSON lines */
export function decodePublication(text: string): Publication {
  const [head, ...lines] = text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Partial<Row & Course & Publication>);
  const rows = lines.filter((line) => line.levels === undefined) as Row[];
  const courses = lines.filter((line) => line.levels !== undefined) as Course[];
  return { sources: head?.sources ?? "", commit: head?.commit ?? "", rows, courses };
}

/** What stands between the markers of the guide. */
export function renderGuide({ commit, rows }: Publication): string {
  const of = (scenarios: readonly { readonly name: string }[]): readonly Row[] =>
    rows.filter((row) => scenarios.some(({ name }) => name === row.scenario));
  const [tuned, unseen] = [of(SCENARIOS), of(UNSEEN)];
  const who = table(
    ["policy", "description"],
    POLICIES.map(({ name, title }) => [`\`${name}\``, title]),
  );
  const traces = table(
    ["trace", "load and faults"],
    ALL.map(({ name, title }) => [`\`${name}\``, title]),
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
    `The seeds are ${seedsOf(commit).join(", ")}: they were taken from the hash of the commit that last changed the strategy or the simulation (${commit.slice(0, 12)}), so they could not be known while it was tuned.`,
    "Each cell has late messages (those that took longer than the objective) in percent / consumer-hours / moves reversed within ten minutes, as the mean of the seeds. These are the traces that the strategy was tuned on, with other seeds:",
    renderTable(tuned),
    HOW_TO_READ,
    renderTotals(tuned),
    "These are the traces that nobody looked at while it was tuned:",
    renderTable(unseen),
    renderTotals(unseen),
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
