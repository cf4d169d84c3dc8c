/** Which alert rules fire on what was scraped from a real monitor, by promtool. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import { createScratchFolder, removeScratchFolder } from "@redis-batch/test-support";
import { parseExposition } from "./exposition.ts";

const RULES = new URL("../alerts/redis-batch.rules.yml", import.meta.url);
// Longer than any rule waits.
const HELD_MINUTES = 90;
const LOOKED_AT = "redis_batch_stream_inspected_timestamp_seconds";

/** What was scraped from one monitor, a minute apart; and what comes after it for an hour and a half. */
export interface Scrapes {
  /** In Prometheus' text format. */
  readonly texts: readonly string[];
  /** `goes on`: all stays as it was last, and the monitor looks · `blind`: it looks no more · `gone`: nothing is scraped. */
  readonly after: "goes on" | "blind" | "gone";
}

/** The names of the alerts that fire at some time on these scrapes, one per monitor, in alphabetical order. */
export async function firingOn(promtool: string, monitors: readonly Scrapes[]): Promise<readonly string[]> {
  const series = monitors.flatMap((scrapes, index) => seriesOf(scrapes, `monitor-${index}`));
  const folder = createScratchFolder();
  try {
    await writeFile(`${folder}/redis-batch.rules.yml`, readFileSync(RULES));
    const names = [...readFileSync(RULES, "utf8").matchAll(/alert: (\w+)/g)].map(([, name]) => name);
    // A test per rule that says it never fires: those that fail name the rules that do.
    const never = names.map((name) => ({
      expr: `count(count_over_time(ALERTS{alertstate="firing", alertname="${name}"}[${HELD_MINUTES}m]))`,
      eval_time: `${HELD_MINUTES}m`,
      exp_samples: [],
    }));
    const test = { interval: "1m", input_series: series, promql_expr_test: never };
    const file = { rule_files: ["redis-batch.rules.yml"], evaluation_interval: "1m", tests: [test] };
    await writeFile(`${folder}/tests.yml`, JSON.stringify(file));
    const said = await promisify(execFile)(promtool, ["test", "rules", `${folder}/tests.yml`]).then(
      ({ stdout }) => ({ stdout, stderr: "" }),
      (error: { readonly stdout: string; readonly stderr: string }) => error,
    );
    const text = `${said.stdout}\n${said.stderr}`;
    const fired = [...text.matchAll(/expr: "?count\(count_over_time\(ALERTS\{alertstate=.*?alertname=\W+(\w+)/g)].map(
      ([, name = ""]) => name,
    );
    if (fired.length === 0 && !text.includes("SUCCESS")) throw new Error(`promtool could not run the test: ${text}`);
    return [...new Set(fired)].toSorted();
  } finally {
    removeScratchFolder(folder);
  }
}

function seriesOf({ texts, after }: Scrapes, instance: string): { readonly series: string; readonly values: string }[] {
  const scrapes = texts.map((text) => {
    const samples = parseExposition(text, "text").flatMap((family) => family.samples);
    return new Map(
      samples.map(({ name: metric, labels, value }) => {
        const all = Object.entries({ ...labels, instance }).map(([label, name]) => `${label}=${JSON.stringify(name)}`);
        return [`${metric}{${all.join(", ")}}`, value];
      }),
    );
  });
  const names = new Set(scrapes.flatMap((scrape) => [...scrape.keys()]));
  return [...names].map((series) => {
    const isClock = series.startsWith(LOOKED_AT);
    // promtool's time begins at 0; a minute passes between two scrapes, whatever passed in the test.
    const values = scrapes.map((scrape, minute): number | "_" =>
      scrape.has(series) ? (isClock ? 60 * minute : (scrape.get(series) ?? 0)) : "_",
    );
    const last = values.at(-1) ?? "_";
    if (after === "gone" || last === "_") return { series, values: `${values.join(" ")} stale` };
    const step = isClock && after === "goes on" ? 60 : 0;
    return { series, values: `${values.join(" ")} ${last + step}+${step}x${HELD_MINUTES}` };
  });
}
