/** Every TypeScript example of the guides compiles in the strictest settings and runs as shown, against a real server. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { eventually, runWorker, sendHostileRequests, useServer } from "@redis-batch/test-support";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { atServer, examplesOf, isService, PAGES } from "./markdown.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
// Below docs/, so that the examples find the packages as a user's program would.
const folder = `${root}docs/.examples`;
// Those with the programs for Kubernetes among them, which run in a test of their own.
const GUIDES = globSync(
  [
    "README.md",
    "docs/*.md",
    "packages/{cli,consumer,core,dashboard,monitor,opentelemetry,scaler,simulator,testing}/README.md",
  ],
  {
    cwd: root,
  },
);

// The sources of our packages, as in this run.
const VITEST_CONFIG = `
const conditions = ["@redis-batch/source", "node"];
const resolution = { resolve: { conditions }, ssr: { resolve: { conditions } } };
export default { ...resolution, test: { testTimeout: 300_000, hookTimeout: 300_000 } };
`;

const redis = useServer({ own: true });
const run = promisify(execFile);
const examples = PAGES.flatMap((page) =>
  examplesOf(readFileSync(`${root}${page}`, "utf8")).map(({ line, code, runner }) => ({
    title: `${page}:${line}`,
    file: `${folder}/${page.replaceAll(/\W+/g, "-")}-${line}.ts`,
    code,
    runner,
  })),
);

beforeAll(() => {
  mkdirSync(folder, { recursive: true });
  for (const { file, code } of examples) {
    writeFileSync(file, atServer(redis.server.url, code));
  }
  writeFileSync(`${folder}/tsconfig.json`, JSON.stringify({ extends: "../../tsconfig.base.json", include: ["*.ts"] }));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the examples", () => {
  it("compile in the strictest settings", async () => {
    const outcome = await run(`${root}node_modules/.bin/tsc`, ["-p", folder]).catch(
      (error: { stdout: string }) => error,
    );
    expect(outcome.stdout).toBe("");
  });

  // They run on it as well, with the packed packages (scripts/smoke-packages.ts).
  it.each(GUIDES)("%s has no syntax that the oldest Node does not know", (page) => {
    const codes = examplesOf(readFileSync(`${root}${page}`, "utf8")).map(({ code }) => code);
    expect(codes.filter((code) => /^ *(?:await )?using /m.test(code))).toEqual([]);
  });

  it.each(examples.filter(({ runner }) => runner === "node"))("$title runs and ends", async ({ file, code }) => {
    await using worker = await runWorker(file);
    if (isService(code)) {
      await worker.waitForLine(() => true, { timeoutMs: 20_000 });
      worker.kill("SIGTERM");
    }
    const { code: exitCode } = await worker.exited;
    expect({ exitCode, stderr: worker.stderr }).toEqual({ exitCode: 0, stderr: "" });
  });

  // Those for Jest run with the packed packages (scripts/smoke-packages.ts): it needs CommonJS.
  it("that are tests pass in Vitest", async () => {
    const tests = examples.filter(({ runner }) => runner === "vitest");
    for (const { file, code } of tests) writeFileSync(file.replace(/\.ts$/, ".test.ts"), code);
    const config = `${folder}/vitest.config.ts`;
    writeFileSync(config, VITEST_CONFIG);
    // A vitest inside vitest would take itself for one of our workers.
    const clean = Object.entries(process.env).filter(([name]) => !name.startsWith("VITEST"));
    const env = { ...Object.fromEntries(clean), NO_COLOR: "1" };
    const vitest = `${root}node_modules/vitest/vitest.mjs`;
    const { stdout } = await run(process.execPath, [vitest, "run", "--root", folder, "--config", config], { env });
    expect(stdout).toMatch(new RegExp(`Tests +${tests.length} passed`));
  });

  const receivers = examples.filter(({ code }) => code.includes("createServer(async"));
  it.each(receivers)("$title is ended by nothing that arrives at its port", async ({ file, code }) => {
    const port = await freePort();
    const copy = file.replace(/\.ts$/, ".port.ts");
    writeFileSync(copy, atServer(redis.server.url, code, port));
    await using worker = await runWorker(copy);
    const status = async (): Promise<number> =>
      (await fetch(`http://127.0.0.1:${port}/`, { method: "POST", body: "{}" })).status;
    await eventually("it listens", async () => (await status().catch(() => 0)) === 401, { timeoutMs: 20_000 });
    await sendHostileRequests(port);
    expect(await status()).toBe(401);
    worker.kill("SIGTERM");
    expect(await worker.exited).toMatchObject({ code: 0 });
  });
});

/** A port that nobody listens at. */
async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
}
