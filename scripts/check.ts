// Runs all static checks of the workspace, two at a time, and reports what failed.
//
//   pnpm check                 every check
//   pnpm check lint types      some
import { styleText } from "node:util";
import { packageFolders } from "./lib/package-folders.mjs";
import { findPnpm } from "./lib/pnpm.mjs";
import { ROOT } from "./lib/root.mjs";
import { runCaptured } from "./lib/run-captured.ts";

const pnpm = findPnpm();

// The long ones first, so that none of them is left running alone.
const CHECKS: Readonly<Record<string, readonly string[]>> = {
  packages: ["node", "scripts/check-packages.ts"],
  types: [pnpm.command, ...pnpm.args, "run", "typecheck", "--continue", "--output-logs=errors-only"],
  lint: ["oxlint", "--type-aware", "--deny-warnings"],
  site: ["node", "docs/site/build.ts"],
  unused: ["knip"],
  imports: ["depcruise", "--config", ".dependency-cruiser.mjs", "scripts", ...packageFolders(ROOT).slice(1)],
  format: ["biome", "ci", `--colors=${process.stdout.isTTY ? "force" : "off"}`, "."],
  api: ["node", "scripts/api.ts", "--check"],
  files: ["node", "scripts/check-files.ts"],
  words: ["node", "scripts/check-words.ts"],
  licenses: ["node", "scripts/check-licenses.ts"],
  generated: ["node", "scripts/generate.ts", "--check"],
};
const AT_ONCE = 2;

interface Outcome {
  readonly name: string;
  readonly passed: boolean;
  readonly output: string;
}

const names = process.argv.slice(2);
const unknown = names.filter((name) => !(name in CHECKS));
if (unknown.length > 0) {
  console.error(`There is no check called ${unknown.join(", ")}. There are: ${Object.keys(CHECKS).join(", ")}.`);
  process.exit(2);
}

const startedAt = performance.now();
const waiting = Object.entries(CHECKS).filter(([name]) => names.length === 0 || names.includes(name));
const total = waiting.length;
const outcomes: Outcome[] = [];
await Promise.all(Array.from({ length: AT_ONCE }, work));
summarise();

async function work(): Promise<void> {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const [name, command] = next;
    const from = performance.now();
    const outcome = await run(name, command);
    outcomes.push(outcome);
    console.log(`${mark(outcome.passed)} ${name.padEnd(10)} ${seconds(from)}`);
  }
}

async function run(name: string, [file = "", ...args]: readonly string[]): Promise<Outcome> {
  const colour = process.stdout.isTTY ? { FORCE_COLOR: "1" } : { NO_COLOR: "1" };
  const { exitCode, output } = await runCaptured(file, args, { ...process.env, ...colour });
  return { name, passed: exitCode === 0, output };
}

function summarise(): void {
  const failed = outcomes.filter(({ passed }) => !passed);
  for (const { name, output } of failed) {
    console.log(`\n${styleText("bold", `── ${name} `.padEnd(80, "─"))}\n${output.trim()}`);
  }
  const verdict = failed.length === 0 ? `all ${total} passed` : `failed: ${failed.map(({ name }) => name).join(", ")}`;
  console.log(`\n${mark(failed.length === 0)} ${verdict} (${seconds(startedAt)})`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}

function mark(passed: boolean): string {
  return passed ? styleText("green", "✓") : styleText("red", "✗");
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}
