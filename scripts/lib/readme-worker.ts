import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { RedisServer } from "@redis-batch/test-support";
import { examplesOf } from "../../docs/test/markdown.ts";
import { ROOT } from "./root.mjs";
import { runIn } from "./run-in.ts";
import type { Runtime } from "./runtimes.ts";

/** The first two programs of the README: one that adds, and one that works until it is told to stop. */
const [PRODUCER = "", WORKER = ""] = examplesOf(readFileSync(join(ROOT, "README.md"), "utf8")).map(({ code }) => code);
const TIMEOUT_MS = 120_000;

/**
 * Runs the programs of the README as they stand there, as an ES module or with `require()` in the place of `import`: the
 * message arrives, is acknowledged, and the worker ends by itself when it is told to, without a word on its stderr.
 *
 * @param home where the consumer is installed
 */
export async function tryReadmeWorker(
  { name, command: [file, ...args] }: Runtime,
  format: "mjs" | "cjs",
  home: string,
  server: RedisServer,
): Promise<void> {
  const stream = `smoke-${randomUUID()}`;
  const write = (code: string): string => {
    const here = code.replace("redis://localhost:6379", server.url).replace('"orders"', JSON.stringify(stream));
    const program = `${randomUUID()}.${format}`;
    writeFileSync(join(home, program), format === "mjs" ? here : withRequire(here));
    return program;
  };
  const added = await runIn(home, file, [...args, write(PRODUCER)]);
  assert.match(added.stdout, /^added as \d+-\d+\n$/, `${name}, ${format}: ${added.stderr}`);

  const worker = spawn(file, [...args, write(WORKER)], { cwd: home, stdio: ["ignore", "pipe", "pipe"] });
  const timer = setTimeout(() => worker.kill("SIGKILL"), TIMEOUT_MS);
  const ended = new Promise((resolve, reject) => worker.once("error", reject).once("close", resolve));
  let stdout = "";
  worker.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    stdout += chunk;
    if (stdout.includes("A-17")) worker.kill("SIGTERM");
  });
  const [code, stderr] = await Promise.all([ended, text(worker.stderr)]);
  clearTimeout(timer);
  assert.deepEqual({ code, stderr }, { code: 0, stderr: "" }, `${name}, ${format}: ${stdout}${stderr}`);
  assert.match(stdout, /A-17/);
  assert.deepEqual(await server.command("XPENDING", stream, "billing"), [0, null, null, null]);
  await server.command("DEL", stream);
}

function withRequire(code: string): string {
  const required = code.replaceAll(/^import (\{.*\}) from (".*");$/gm, "const $1 = require($2);");
  return `(async () => {\n${required}})();\n`;
}
