import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { afterFairMs, fairNowMs } from "@redis-batch/testing/time";
import { afterAll, expect, test } from "vitest";
import { atExit } from "../processes/exit-sweep.ts";
import { eventually } from "./eventually.ts";

const busy: ReturnType<typeof spawn>[] = [];
afterAll(() => busy.forEach((child) => child.kill("SIGKILL")));

/** Fair milliseconds for each of the wall clock, over a time that has to pass to be measured. */
async function pace(overMs: number): Promise<number> {
  const [fairMs, wallMs] = [fairNowMs(), performance.now()];
  await new Promise((resolve) => setTimeout(resolve, overMs));
  return (fairNowMs() - fairMs) / (performance.now() - wallMs);
}

test("is never faster than the wall clock, and never stops", async () => {
  const paces = [await pace(30), await pace(30), await pace(30)];
  expect(Math.min(...paces)).toBeGreaterThan(0);
  expect(Math.max(...paces)).toBeLessThanOrEqual(1.001);
});

test("calls back after so much fair time, and not when it was called off", async () => {
  const startedMs = fairNowMs();
  const callOff = afterFairMs(20, () => expect.unreachable("it was called off"));
  await new Promise<void>((resolve) => afterFairMs(10, resolve));
  expect(fairNowMs() - startedMs).toBeGreaterThanOrEqual(10);
  callOff();
  await new Promise<void>((resolve) => afterFairMs(30, resolve));
});

test("slows down with each process more that wants a processor", async (context) => {
  if (process.platform !== "linux") return context.skip("only Linux tells how many want to run");
  for (let count = 0; count < 3 * availableParallelism(); count++) {
    const child = spawn(process.execPath, ["-e", "for (;;);"], { stdio: "ignore" });
    busy.push(child);
    atExit(() => void child.kill("SIGKILL"));
  }
  const slow = await eventually("it slows down", async () => {
    const seen = await pace(100);
    return seen < 0.8 ? seen : undefined;
  });
  expect(slow).toBeLessThan(0.8);
});
