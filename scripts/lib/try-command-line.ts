import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { type RunInOptions, runIn } from "./run-in.ts";

export interface Npx {
  /** The program that runs it. */
  readonly node: string;
  /** Its own script. */
  readonly script: string;
  /** An empty folder. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
}

interface Expected extends RunInOptions {
  /** Default 0. */
  readonly code?: number;
  /** Default nothing. */
  readonly stderr?: RegExp;
}

// What npm says of the machine's own configuration, and of one that it was started by.
const ABOUT_CONFIGURATION = /^npm warn (?:Unknown|config) .*\n/gim;

/**
 * The command line as it is met by who has nothing but npx: messages in, messages out, and how the group fares. Judges what
 * is printed, what is not, and the exit codes.
 *
 * @param version what the package is expected to be
 */
export async function tryCommandLine(npx: Npx, version: string): Promise<void> {
  const stream = `smoke-${randomUUID()}`;
  // The first call installs it. The Node of a shell of npx is the one that npx has the program run by.
  const { stdout: nodeVersion } = await runIn(npx.folder, npx.node, ["--version"]);
  const shell = ["--package", "@redis-batch/cli", "--call", "node --version && redis-batch --version"];
  assert.equal(await run(npx, shell), `${nodeVersion}${version}\n`);
  assert.equal(await call(npx, ["--version"]), `${version}\n`);
  assert.match(await call(npx, ["--help"]), /^ {2}produce <stream>[^\n]*\s+Add messages to a stream$/m);

  const input = '{"n":"1"}\n{"n":"2"}\n{"n":"3"}\n';
  assert.match(await call(npx, ["produce", stream], { input }), /^added +3$/m);
  const lines = (await call(npx, ["consume", stream, "smoke", "--create", "start", "--count", "3"]))
    .trimEnd()
    .split("\n");
  assert.deepEqual(
    lines.map((line) => (JSON.parse(line) as { readonly fields: unknown }).fields),
    [{ n: "1" }, { n: "2" }, { n: "3" }],
  );

  assert.match(await call(npx, ["groups", stream]), /^smoke +0 +0 +0 +0 /m);
  assert.match(await call(npx, ["monitor", stream, "smoke"]), /^health +OK$/m);
  assert.match(await call(npx, ["scale", stream, "smoke"]), /^throughput +OUT +0 +1 /m);
  assert.match(await call(npx, ["check", stream, "smoke"]), /^OK /);
  const tooFew = ["check", stream, "smoke", "--min-consumers", "1"];
  assert.match(await call(npx, tooFew, { code: 2 }), /^CRITICAL /);
  // Optional dependencies are not installed, and the command that needs one says how to install it.
  const keda = ["scale", "run", stream, "smoke", "--executor", "keda", "--port", "0"];
  await call(npx, keda, { code: 2, stderr: /^error: .*\nfix: .* npx -p @redis-batch\/cli -p @grpc\/grpc-js .*\n$/ });
}

/** One command, by the package's name alone. */
function call(npx: Npx, args: readonly string[], expected?: Expected): Promise<string> {
  return run(npx, ["@redis-batch/cli", ...args], expected);
}

async function run({ node, script, folder, env }: Npx, args: readonly string[], expected: Expected = {}) {
  const { code: expectedCode = 0, stderr: expectedStderr = /^$/, input = "" } = expected;
  const { code, stdout, stderr } = await runIn(folder, node, [script, "--yes", ...args], { env, input });
  const said = stderr.replaceAll(ABOUT_CONFIGURATION, "");
  const where = `npx ${args.join(" ")} ended with ${code} and said:\n${stdout}${said}`;
  assert.equal(code, expectedCode, where);
  assert.match(said, expectedStderr, where);
  return stdout;
}
