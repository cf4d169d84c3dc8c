/** What comes along when an application loads the package. */
import { runWorker } from "@redis-batch/test-support";
import { expect, it } from "vitest";

const WORKER = new URL("loading.worker.ts", import.meta.url);

it.each(["import", "require"])("an application that loads the consumer by %s loads no HTTP", async (how) => {
  await using worker = await runWorker(WORKER, { args: [how] });
  expect(await worker.exited).toEqual({ code: 0, signal: null });
  const loaded = JSON.parse(worker.lines[0] ?? "") as readonly string[];
  // What ioredis needs, to see that the list tells.
  expect(loaded).toContain("NativeModule net");
  expect(loaded.filter((name) => name.includes("http"))).toEqual([]);
});
