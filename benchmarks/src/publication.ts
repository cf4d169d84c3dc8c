/** A run as it is published: one JSON object a line, and the page that is made of it. */
import type { Machine } from "./machine.ts";
import { drawCosts, drawTargets, type NamedScenario } from "./plot.ts";
import { figure, spread, targetText, verdict } from "./render.ts";
import type { Row } from "./rows.ts";

export interface Publication {
  readonly run: { readonly date: string; readonly quick: boolean; readonly machine: Machine };
  readonly rows: readonly Row[];
  readonly skipped: readonly Skipped[];
}

/** A scenario that could not be run, and why. */
export interface Skipped {
  readonly scenario: string;
  readonly why: string;
}

export function encodePublication({ run, rows, skipped }: Publication): string {
  return [{ run }, ...rows, ...skipped].map((line) => `${JSON.stringify(line, rounded)}\n`).join("");
}

/** @throws {Error} when it is not what `encodePublication` made */
export function decodePublication(text: string): Publication {
  const lines = text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Partial<Publication & Row & Skipped>);
  const run = lines[0]?.run;
  if (run === undefined) throw new Error("the first line of the results says nothing about the run");
  return {
    run,
    rows: lines.filter((line) => line.metric !== undefined) as Row[],
    skipped: lines.filter((line) => line.why !== undefined) as Skipped[],
  };
}

/** The files under docs/, by their names. */
export function renderPublication(
  publication: Publication,
  scenarios: readonly NamedScenario[],
): ReadonlyMap<string, string> {
  return new Map([
    ["benchmarks.md", renderPage(publication, scenarios)],
    ["benchmarks/targets.svg", drawTargets(publication.rows)],
    ["benchmarks/costs.svg", drawCosts(publication.rows, scenarios)],
  ]);
}

function renderPage({ run, rows, skipped }: Publication, scenarios: readonly NamedScenario[]): string {
  const { machine } = run;
  const judged = rows.filter(({ met }) => met !== null);
  const count = (want: (row: Row) => boolean): number => judged.filter(want).length;
  return `${[
    "# Benchmarks",
    "<!-- Made of benchmarks/results.ndjson by `pnpm generate`; `pnpm bench --publish` replaces both. -->",
    [
      `Measured on ${run.date} on ${machine.processors} cores (${machine.model}, ${machine.memoryGiB} GiB), ${machine.server},`,
      `Node ${machine.node}, ioredis ${machine.ioredis}, BullMQ ${machine.bullmq}. Ours and the reference ran in turn. A ratio is ours`,
      "divided by the reference, pair by pair: minimum, **median** and maximum. Compare the figures of this run only with each",
      "other. See [how to run the benchmarks](../benchmarks/README.md) and [where the time goes](performance.md).",
    ].join("\n"),
    ...remarks(run.quick, rows),
    `Of ${judged.length} targets, ${count(({ met }) => met === true)} are met and ${count(({ met }) => met === false)} missed; ` +
      `${count(({ noisy }) => noisy)} of these verdicts are marked noisy.`,
    "![How far each figure is from its target](benchmarks/targets.svg)",
    "![CPU per message](benchmarks/costs.svg)",
    "## Targets",
    table(
      ["scenario", "figure", "target", "measured", "rounds", ""],
      judged.map((row) => [
        `[${row.scenario}](#${row.scenario})`,
        row.metric,
        row.target === null ? "" : targetText(row.target),
        row.target === null ? "" : emphasised(spread(row[row.target.of])),
        `${row.rounds}`,
        verdict(row),
      ]),
    ),
    ...scenarios.flatMap((scenario) => renderScenario(scenario, rows, skipped)),
  ].join("\n\n")}\n`;
}

/** What a reader has to know before believing any of it. */
function remarks(quick: boolean, rows: readonly Row[]): readonly string[] {
  const noisy = new Set(rows.filter((row) => row.noisy).map(({ scenario }) => scenario));
  const scenarios = new Set(rows.map(({ scenario }) => scenario));
  return [
    ...(quick
      ? ["**A quick run**: few rounds of few messages, no warm-up pair. It shows the order of magnitude."]
      : []),
    ...(noisy.size === 0
      ? []
      : [
          `**Noisy rows**, marked in ${noisy.size} of ${scenarios.size} scenarios: the machine was busy with other work (a probe that needs only ` +
            "CPU took more than a quarter longer than alone), or the rounds differ by more than half. In these rows times mean little, and " +
            "CPU per message a little more.",
        ]),
  ];
}

function renderScenario(
  { name, what, oursName, referenceName }: NamedScenario,
  rows: readonly Row[],
  skipped: readonly Skipped[],
): readonly string[] {
  const own = rows.filter(({ scenario }) => scenario === name);
  const why = skipped.find(({ scenario }) => scenario === name)?.why;
  const heading = [`## ${name}`, `${what[0]?.toUpperCase() ?? ""}${what.slice(1)}.`];
  if (own.length === 0) return [...heading, `Not run: ${why ?? "the scenario is newer than this run"}.`];
  const lines = own.map((row) => [
    row.metric,
    figure(row.ours.median),
    figure(row.reference.median),
    emphasised(spread(row.ratio)),
    row.noisy ? "noisy" : "",
  ]);
  return [...heading, table(["", oursName, referenceName, "ratio", ""], lines)];
}

/** The middle one of three stands out. */
function emphasised(text: string): string {
  return text.replace(/ – (.*) – /, " – **$1** – ");
}

function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  return [head, head.map(() => "---"), ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function rounded(_key: string, value: unknown): unknown {
  return typeof value === "number" ? Number(value.toPrecision(5)) : value;
}
