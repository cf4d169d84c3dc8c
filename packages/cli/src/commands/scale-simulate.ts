import { createReadStream, existsSync } from "node:fs";
import { didYouMean } from "@redis-batch/core/internal/options";
import {
  compare,
  meanOf,
  POLICIES,
  type Policy,
  type Row as RunRow,
  SCENARIO_DEFAULTS,
  SCENARIOS,
  type Scenario,
  traceScenario,
} from "@redis-batch/simulator";
import type { Invocation, Run } from "../command.ts";
import { Failure } from "../failure.ts";
import { readLines } from "../messages/lines.ts";
import type { Report, Row } from "../render/report.ts";
import type { scaleSimulate } from "../table/scale.ts";
import { LONGEST_RATE_LINE_BYTES, readRates } from "../trace/read-rates.ts";

type Call = Invocation<typeof scaleSimulate>;
type Changes = Partial<Omit<Scenario, "rate" | "seconds">>;

const REFERENCE = "oracle";
const MOST_SEEDS = 20;
const PROGRESS_EVERY_PERCENT = 5;

export const run: Run<typeof scaleSimulate> = async ({ args: { trace }, options, terminal }) => {
  if (trace === undefined) return terminal.report(listing(), options.json);
  const policies = policiesOf(options.policies);
  const seeds = seedsOf(options.seeds);
  const scenario = await scenarioOf(trace, options);
  // Ctrl-C ends the program at once; the progress line must not stay behind.
  process.once("exit", () => terminal.endProgress());
  const rows: RunRow[] = [];
  let shown = "";
  const runs = compare({
    ...{ policies, scenarios: [scenario], seeds },
    onProgress({ policy, seed, share, done, runs: all }) {
      const percent = PROGRESS_EVERY_PERCENT * Math.floor((100 * share) / PROGRESS_EVERY_PERCENT);
      const text = `${policy}, seed ${seed}: ${percent} %, ${done} of ${all} runs done`;
      if (text !== shown) terminal.progress(text);
      shown = text;
    },
  });
  for await (const row of runs) rows.push(row);
  terminal.endProgress();
  await terminal.report(reportOf(trace, scenario, policies, seeds, rows), options.json);
};

/** The traces and policies to choose from. */
function listing(): Report {
  return {
    table: {
      key: "traces",
      columns: [{ key: "trace" }, { key: "objectiveMs", title: "objective", unit: "ms" }, { key: "what" }],
      rows: SCENARIOS.map(({ name, objective, title }) => ({
        ...{ trace: name, objectiveMs: objective * 1_000, what: title },
      })),
      none: "",
    },
    notes: POLICIES.map(({ name, title }) => `policy ${name}: ${title}`),
  };
}

function policiesOf(names: string | undefined): readonly Policy[] {
  const known = POLICIES.map(({ name }) => name);
  const wanted = names === undefined ? known : names.split(",").map((name) => name.trim());
  for (const name of wanted) {
    if (known.includes(name)) continue;
    const meant = didYouMean(name, known);
    throw new Failure(
      "usage",
      `unknown policy "${name}"${meant === undefined ? "" : `; did you mean ${meant}?`}`,
      `--policies takes some of ${known.join(",")}`,
    );
  }
  return POLICIES.filter(({ name }) => name === REFERENCE || wanted.includes(name));
}

function seedsOf(text: string): readonly number[] {
  const seeds = [...new Set(text.split(",").map((seed) => (/^\s*\d{1,9}\s*$/.test(seed) ? Number(seed) : -1)))];
  if (seeds.includes(-1) || seeds.length > MOST_SEEDS) {
    throw new Failure("usage", `--seeds must be up to ${MOST_SEEDS} whole numbers, not "${text}"`, "such as 1,2,3");
  }
  return seeds;
}

async function scenarioOf(trace: string, options: Call["options"]): Promise<Scenario> {
  const known = SCENARIOS.find(({ name }) => name === trace);
  const changes = changesOf(known ?? SCENARIO_DEFAULTS, options);
  const { minConsumers, maxConsumers } = { ...(known ?? SCENARIO_DEFAULTS), ...changes };
  const { first } = options;
  const isWithin =
    minConsumers <= maxConsumers && (first === undefined || (first >= minConsumers && first <= maxConsumers));
  if (!isWithin) {
    const named = first === undefined ? "" : `--first (${first}) must be between them, and `;
    throw new Failure("usage", `${named}--min (${minConsumers}) must not be above --max (${maxConsumers})`);
  }
  if (known === undefined) return traceScenario(await readFile(trace), changes);
  const firstConsumers = Math.max(minConsumers, Math.min(maxConsumers, first ?? known.firstConsumers));
  return { ...known, ...changes, firstConsumers };
}

function changesOf({ work, startUp }: Pick<Scenario, "work" | "startUp">, options: Call["options"]): Changes {
  const { min, max, first, objective, "consumer-rate": perSecond, "batch-size": batchSize } = options;
  const { work: workMs, "batch-overhead": overheadMs, "start-up": startUpMs } = options;
  if (perSecond !== undefined && (workMs !== undefined || overheadMs !== undefined)) {
    throw new Failure(
      "usage",
      "--consumer-rate replaces --work and --batch-overhead: leave them out",
      "or leave out --consumer-rate",
    );
  }
  return {
    ...(perSecond !== undefined && { work: { ...work, mean: 1 / perSecond }, overhead: 0 }),
    ...(workMs !== undefined && { work: { ...work, mean: workMs / 1_000 } }),
    ...(overheadMs !== undefined && { overhead: overheadMs / 1_000 }),
    ...(batchSize !== undefined && { batchSize }),
    ...(startUpMs !== undefined && { startUp: { ...startUp, mean: startUpMs / 1_000 } }),
    ...(objective !== undefined && { objective: objective / 1_000 }),
    ...(min !== undefined && { minConsumers: min }),
    ...(max !== undefined && { maxConsumers: max }),
    ...(first !== undefined && { firstConsumers: first }),
  };
}

async function readFile(path: string) {
  if (path !== "-" && !existsSync(path)) {
    const meant = didYouMean(
      path,
      SCENARIOS.map(({ name }) => name),
    );
    throw new Failure(
      "usage",
      `"${path}" is neither a built-in trace nor a file${meant === undefined ? "" : `; did you mean ${meant}?`}`,
      "`redis-batch scale simulate` lists the traces",
    );
  }
  const stream = path === "-" ? process.stdin : createReadStream(path);
  try {
    return await readRates(readLines(stream as AsyncIterable<Buffer>, LONGEST_RATE_LINE_BYTES));
  } catch (error) {
    if (error instanceof Error && "syscall" in error) {
      throw new Failure("usage", `${path} cannot be read: ${error.message}`);
    }
    throw error;
  } finally {
    stream.destroy();
  }
}

function reportOf(
  trace: string,
  scenario: Scenario,
  policies: readonly Policy[],
  seeds: readonly number[],
  rows: readonly RunRow[],
): Report {
  const { seconds, objective, minConsumers, maxConsumers, firstConsumers } = scenario;
  const { batchSize, overhead, work, startUp } = scenario;
  return {
    facts: [
      { key: "trace", value: trace },
      { key: "lengthMs", title: "length", value: seconds * 1_000, unit: "ms" },
      { key: "objectiveMs", title: "objective", value: objective * 1_000, unit: "ms" },
      { key: "minConsumers", value: minConsumers, unit: "count" },
      { key: "maxConsumers", value: maxConsumers, unit: "count" },
      { key: "firstConsumers", value: firstConsumers, unit: "count" },
      {
        ...{ key: "consumerRate", title: "messages/s per consumer", unit: "count" },
        value: rounded(batchSize / (overhead + batchSize * work.mean)),
      },
      { key: "startUpMs", title: "start-up", value: startUp.mean * 1_000, unit: "ms" },
      { key: "seeds", value: seeds.join(",") },
    ],
    table: {
      key: "policies",
      columns: [
        { key: "policy" },
        { key: "messages", unit: "count" },
        {
          key: "latePercent",
          title: "late %",
          unit: "count",
          tone: (late) => (Number(late) >= 1 ? "warn" : undefined),
        },
        { key: "p99Ms", title: "p99", unit: "ms" },
        { key: "consumerHours", title: "hours", unit: "count" },
        { key: "hoursByOracle", title: `hours/${REFERENCE}`, unit: "count" },
        { key: "moves", unit: "count" },
        { key: "reversals", unit: "count" },
        { key: "killed", unit: "count" },
      ],
      rows: policies.flatMap(({ name }) => rowOf(name, scenario.name, rows)),
      none: "",
    },
    notes: [
      "Means over the seeds. Load and consumers are simulated; the KEDA and HorizontalPodAutoscaler policies are models of the originals.",
    ],
  };
}

function rowOf(policy: string, scenario: string, rows: readonly RunRow[]): readonly Row[] {
  const mean = meanOf(rows, scenario, policy);
  if (mean === null) return [];
  const hours = meanOf(rows, scenario, REFERENCE)?.consumerHours ?? 0;
  return [
    {
      ...{ policy, messages: Math.round(mean.messages) },
      latePercent: rounded(mean.violationPercent),
      p99Ms: mean.messages === 0 ? null : Math.round(1_000 * mean.p99Seconds),
      consumerHours: rounded(mean.consumerHours),
      hoursByOracle: hours === 0 ? null : rounded(mean.consumerHours / hours),
      ...{ moves: rounded(mean.actions), reversals: rounded(mean.reversals), killed: rounded(mean.killedInFlight) },
    },
  ];
}

const rounded = (value: number): number => Math.round(100 * value) / 100;
