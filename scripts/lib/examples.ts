import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { RedisServer } from "@redis-batch/test-support";
import { transform } from "esbuild";
import { atServer, examplesOf, isService, PAGES } from "../../docs/test/markdown.ts";
import { ROOT } from "./root.mjs";
import type { Runtime } from "./runtimes.ts";

const TIMEOUT_MS = 120_000;

/**
 * Runs every example of the guides unchanged: it must end by itself (a service after a signal), and print nothing on
 * its stderr.
 *
 * @param home where all is installed that they import
 * @returns how many there are
 */
export async function tryExamples(runtime: Runtime, home: string, url: string): Promise<number> {
  const examples = PAGES.flatMap((page) =>
    examplesOf(readFileSync(join(ROOT, page), "utf8")).flatMap(({ line, code, runner }) =>
      runner === "node" ? [{ title: `${page}:${line}`, code }] : [],
    ),
  );
  for (const { title, code } of examples) {
    const program = await transform(atServer(url, code), { loader: "ts", target: "esnext" });
    const stops = isService(code) ? () => true : () => false;
    await runProgram(runtime, { title, home, format: "mjs", code: program.code, stops });
  }
  return examples.length;
}

/** The examples of the guides that are tests for this runner, as files. */
export function writeTests(runner: "vitest" | "jest", folder: string): void {
  const tests = PAGES.flatMap((page) => examplesOf(readFileSync(join(ROOT, page), "utf8"))).filter(
    (example) => example.runner === runner,
  );
  assert.notEqual(tests.length, 0);
  mkdirSync(folder, { recursive: true });
  for (const [index, { code }] of tests.entries()) writeFileSync(join(folder, `example-${index}.test.ts`), code);
}

/**
 * The first two examples of the README, a producer and a worker, as an ES module or with `require()` in the place of
 * `import`: the message arrives and is acknowledged, and the worker ends after a signal.
 *
 * @param home where the consumer is installed
 */
export async function tryReadmeWorker(
  runtime: Runtime,
  format: "mjs" | "cjs",
  home: string,
  server: RedisServer,
): Promise<void> {
  const stream = `smoke-${randomUUID()}`;
  const [producer = "", worker = ""] = examplesOf(readFileSync(join(ROOT, "README.md"), "utf8"))
    .map(({ code }) => atServer(server.url, code).replace('"orders"', JSON.stringify(stream)))
    .map((code) => (format === "mjs" ? code : withRequire(code)));
  const program = { title: "the README's worker", home, format };
  await runProgram(runtime, { ...program, code: producer, stops: () => false });
  const stops = (stdout: string): boolean => stdout.includes("A-17");
  assert(stops(await runProgram(runtime, { ...program, code: worker, stops })));
  assert.deepEqual(await server.command("XPENDING", stream, "billing"), [0, null, null, null]);
  await server.command("DEL", stream);
}

interface Program {
  /** For messages. */
  readonly title: string;
  readonly home: string;
  readonly format: "mjs" | "cjs";
  readonly code: string;
  /** Whether to stop it, by what it has printed so far. */
  readonly stops: (stdout: string) => boolean;
}

/** → what it printed */
async function runProgram({ name, command: [file, ...args] }: Runtime, program: Program): Promise<string> {
  const { title, home, format, code, stops } = program;
  const path = `${randomUUID()}.${format}`;
  writeFileSync(join(home, path), code);
  const child = spawn(file, [...args, path], { cwd: home, stdio: ["ignore", "pipe", "pipe"] });
  const timer = setTimeout(() => child.kill("SIGKILL"), TIMEOUT_MS);
  const ended = new Promise((resolve, reject) => child.once("error", reject).once("close", resolve));
  let stdout = "";
  let isTold = false;
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    stdout += chunk;
    // Once: a second signal ends it at once.
    if (!isTold && stops(stdout)) isTold = child.kill("SIGTERM");
  });
  const [exitCode, stderr] = await Promise.all([ended, text(child.stderr)]);
  clearTimeout(timer);
  assert.deepEqual(
    { exitCode, stderr },
    { exitCode: 0, stderr: "" },
    `${title}, ${name}, ${format}: ${stdout}${stderr}`,
  );
  return stdout;
}

function withRequire(code: string): string {
  const required = code.replaceAll(/^import (\{.*\}) from (".*");$/gm, "const $1 = require($2);");
  return `(async () => {\n${required}})();\n`;
}
