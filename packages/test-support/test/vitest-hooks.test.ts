import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { ownServersOnly, RedisServer } from "../src/index.ts";

ownServersOnly();

const VITEST = join(dirname(createRequire(import.meta.url).resolve("vitest/package.json")), "vitest.mjs");
const FIXTURES = fileURLToPath(new URL("fixtures/", import.meta.url));

/** Runs one fixture in a vitest of its own; yields everything it printed. */
function runFixture(name: string, env: Record<string, string> = {}): Promise<string> {
  const limits = ["--testTimeout=300000", "--hookTimeout=300000"];
  const args = [VITEST, "run", `--root=${FIXTURES}`, "--reporter=verbose", ...limits, name];
  return new Promise((resolve) => {
    // A vitest inside vitest would take itself for one of our workers.
    const clean = Object.entries(process.env).filter(([key]) => !key.startsWith("VITEST"));
    const childEnv = { ...Object.fromEntries(clean), NO_COLOR: "1", ...env };
    execFile(process.execPath, args, { env: childEnv }, (_error, stdout, stderr) => resolve(stdout + stderr));
  });
}

test("what tests leave behind fails their file, and says what it is", async () => {
  const output = await runFixture("leaky.fixture.ts");
  expect(output).toMatch(/FAIL .*leaves a client\n.*the tests left behind:\n {2}client connection: .*name=forgotten/);
  expect(output).toMatch(/1 × TCPSocketWrap/);
  expect(output).toMatch(/FAIL .*leaves a key\n.*the tests left behind:\n {2}key: orders-/);
  expect(output).not.toMatch(/FAIL .*leaves nothing/);
});

test("tests that need servers of their own are skipped on a shared one, and say why", async () => {
  await using shared = await RedisServer.start();
  const output = await runFixture("shared.fixture.ts", { REDIS_BATCH_TEST_URL: shared.url });
  const reason = "needs servers of its own, and REDIS_BATCH_TEST_URL names a shared one";
  expect(output).toMatch(/✓ .*any > runs/);
  for (const name of ["any > kills", "own > restarts", "several > uses the cluster", "by hand > starts"]) {
    expect(output).toMatch(new RegExp(`↓ .*${name}.*\\[${reason}\\]`));
  }
});
