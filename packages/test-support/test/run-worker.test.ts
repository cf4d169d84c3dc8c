import { expect, onTestFinished, test } from "vitest";
import { runWorker, type WorkerOptions } from "../src/index.ts";
import { isProcessAlive } from "../src/processes/process-state.ts";

async function startEcho(options: WorkerOptions = {}) {
  const worker = await runWorker(new URL("scripts/echo.ts", import.meta.url), options);
  onTestFinished(() => worker[Symbol.asyncDispose]());
  return worker;
}

test("runs TypeScript with arguments and environment, and no warnings", async () => {
  const worker = await startEcho({ args: ["one", "two"], env: { ECHO_TEST: "yes" } });
  const given: unknown = JSON.parse(await worker.waitForLine(/^\{/));
  expect(given).toEqual({ args: ["one", "two"], env: "yes", node: process.versions.node });
  worker.send("fail");
  expect(await worker.exited).toEqual({ code: 3, signal: null });
  expect(worker.stderr).toBe("to the error output\n");
});

test("yields lines printed before, and those that come", async () => {
  const worker = await startEcho();
  worker.send("ready");
  expect(await worker.waitForLine("ready")).toBe("ready");
  const mark = worker.lines.length;
  const next = worker.waitForLine((line) => line.startsWith("batch"), { after: mark });
  worker.send("batch 7");
  expect(await next).toBe("batch 7");
  expect(await worker.waitForLine("ready")).toBe("ready");
  expect(worker.lines.slice(1)).toEqual(["ready", "batch 7"]);
});

test("says what was printed when the worker ends without the line", async () => {
  const worker = await startEcho();
  worker.send("almost");
  worker.send("fail");
  await expect(worker.waitForLine("ready")).rejects.toThrow(
    /the line ready: the worker ended before it had printed it.*almost.*to the error output/s,
  );
});

test("can be killed, and is gone then", async () => {
  const worker = await startEcho();
  await worker.waitForLine(/^\{/);
  const pid = Number(worker.pid);
  worker.kill();
  expect(await worker.exited).toEqual({ code: null, signal: "SIGKILL" });
  expect(worker.running).toBe(false);
  expect(isProcessAlive(pid)).toBe(false);
});

test("runs with another Node of the PATH, and says when there is none", async () => {
  const major = Number(process.versions.node.split(".")[0]);
  const worker = await startEcho({ nodeVersion: major });
  await worker.waitForLine(/^\{/);
  await expect(startEcho({ nodeVersion: 9 })).rejects.toThrow("no Node 9 on the PATH");
});
