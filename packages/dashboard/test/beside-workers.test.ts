/** The page beside real workers, which store what comes in a database, while some of them die and the server goes away. */
import { join } from "node:path";
import {
  createScratchFolder,
  removeScratchFolder,
  runWorker,
  uniqueName,
  useServer,
  type WorkerProcess,
} from "@redis-batch/test-support";
import { useBrowser } from "@redis-batch/test-support/browser";
import { afterEach, beforeAll, expect, it } from "vitest";
import { startDashboard } from "../src/index.ts";
import { buildPage } from "./build-page.ts";

const WORKER = new URL("../../../apps/example-worker/src/main.ts", import.meta.url);
const redis = useServer({ own: true });
const browser = useBrowser();
const folder = createScratchFolder();
const workers: WorkerProcess[] = [];

beforeAll(buildPage);
afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker[Symbol.asyncDispose]()));
  removeScratchFolder(folder);
});

async function startWorker(stream: string): Promise<WorkerProcess> {
  const settings = {
    REDIS_URL: redis.server.url,
    STREAM: stream,
    GROUP: "storers",
    BATCH_SIZE: "5",
    MAX_WAIT_MS: "50",
  };
  const timing = { LEASE_MS: "1000", RECOVER_EVERY_MS: "3600000", PROBE_PORT: "0" };
  const env = { ...settings, ...timing, DATABASE_URL: `sqlite:${join(folder, "commits.db")}` };
  const worker = await runWorker(WORKER, { env });
  workers.push(worker);
  await worker.waitForLine(/"probing"/, { timeoutMs: 20_000 });
  return worker;
}

it("shows workers that die, what they gave up and why, and comes back with the server", async () => {
  const stream = uniqueName("commits");
  const add = (files: string): Promise<unknown> => {
    const fields = {
      id: "0123abc",
      at: "2026-11-29T10:30:00Z",
      subject: "Fix it",
      files,
      insertions: "1",
      deletions: "1",
    };
    return redis.server.command("XADD", stream, "*", ...Object.entries(fields).flat());
  };
  const [victim] = await Promise.all([startWorker(stream), startWorker(stream)]);
  for (const files of ["1", "2", "many", "3", "few"]) await add(files);
  await using dashboard = await startDashboard({
    ...{ redis: redis.server.url, port: 0, intervalMs: 500, observer: () => {}, allowActions: true },
  });
  const group = `${dashboard.url}#/group/${encodeURIComponent(stream)}/storers`;
  const { page, complaints } = await browser.open(`${group}/health`);
  const consumers = page.getByRole("table").getByRole("row");
  const dead = consumers.filter({ hasText: `pid ${victim.pid}` });
  await dead.getByText("OK", { exact: true }).waitFor();
  expect(await consumers.filter({ hasText: "0.0.0" }).count()).toBe(2);

  await page.getByRole("link", { name: "Dead letters 2" }).waitFor();

  victim.kill("SIGKILL");
  await dead.getByText("Dead", { exact: true }).waitFor();
  await dead.getByText(/heartbeat/).waitFor();

  await page.getByRole("link", { name: "Dead letters 2" }).click();
  const errors = page.locator(".errors > li");
  await errors.filter({ hasText: "files must be a whole number" }).getByText("2", { exact: true }).waitFor();

  // The worker that is left gives them up again.
  await errors.getByRole("button", { name: "Redrive these…" }).click();
  await page.getByRole("button", { name: "Redrive 2" }).click();
  await page.getByText("2 redriven.").waitFor();
  await page.getByRole("button", { name: "Close" }).click();
  await page.getByRole("link", { name: "Doctor" }).click();
  await page
    .getByRole("listitem")
    .filter({ hasText: "1 consumer is dead" })
    .getByText(/redis-batch cleanup/)
    .waitFor();
  await page.goBack();
  await page.getByRole("link", { name: "Dead letters 2" }).waitFor();

  await redis.server.kill();
  await page.getByText("Redis cannot be read:").waitFor();
  await redis.server.restart();
  await page.getByText("Redis cannot be read:").waitFor({ state: "detached" });
  await page.getByText("Live", { exact: true }).waitFor();
  // The browser notes each answer that is an error, as those are while the server is away, and for a group that went with it.
  expect(complaints.filter((text) => !text.startsWith("Failed to load resource"))).toEqual([]);
  await page.close();
});
