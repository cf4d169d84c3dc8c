/**
 * Brings docs/benchmarks.md and its plots up to date with the published results; runs nothing. With `--check` it only says
 * what is out of date (exit code 1).
 */
import { parseArgs } from "node:util";
import { outOfDate, writeDocument } from "./publish-files.ts";

const { values: options } = parseArgs({ options: { check: { type: "boolean", default: false } } });

for (const [name, content] of outOfDate()) {
  if (options.check) {
    console.error(`docs/${name} is out of date: run \`pnpm generate\``);
    process.exitCode = 1;
  } else {
    writeDocument(name, content);
    console.log(`docs/${name} written`);
  }
}
