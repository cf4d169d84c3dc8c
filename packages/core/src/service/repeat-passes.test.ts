import { ManualClock } from "@redis-batch/test-support";
import { expect, test } from "vitest";
import { pause } from "./clock.ts";
import { repeatPasses } from "./repeat-passes.ts";

/** Passes every ten seconds; `pass` gets the number of each, and what ends them. */
function start(
  pass: (n: number, controller: AbortController) => Promise<void>,
  { intervalMs = 10_000, clock = new ManualClock() } = {},
) {
  const controller = new AbortController();
  const beganAtMs: number[] = [];
  const failures: (readonly [string, number])[] = [];
  const startedAtMs = clock.nowMs();
  const end = repeatPasses(
    controller.signal,
    () => {
      beganAtMs.push(clock.nowMs() - startedAtMs);
      return pass(beganAtMs.length, controller);
    },
    {
      ...{ intervalMs, clock, random: () => 1 },
      onFailure(error, retryInMs) {
        if (error instanceof RangeError) throw error;
        failures.push([(error as Error).message, retryInMs]);
      },
    },
  );
  return { clock, controller, beganAtMs, failures, end };
}

test("a pass begins every interval, and at once after one that took longer", async () => {
  const tookMs = [4_000, 15_000];
  const clock = new ManualClock();
  const { controller, beganAtMs, end } = start((n) => pause(clock, tookMs[n - 1] ?? 0), { clock });
  await clock.advance(39_000);
  expect(beganAtMs).toEqual([0, 10_000, 25_000, 35_000]);
  controller.abort();
  await end;
});

test("what failed is repeated earlier, later each time, and at the latest at the interval", async () => {
  const { clock, controller, beganAtMs, failures, end } = start(async (n) => {
    if (n <= 7) throw new Error(`pass ${n}`);
  });
  await clock.advance(45_000);
  const waits = [500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000];
  expect(failures).toEqual(waits.map((waitMs, index) => [`pass ${index + 1}`, waitMs]));
  expect(beganAtMs).toEqual([0, 500, 1_500, 3_500, 7_500, 15_500, 25_500, 35_500]);
  controller.abort();
  await end;
});

test("a success ends the back-off", async () => {
  const { clock, controller, failures, end } = start(async (n) => {
    if (n !== 3) throw new Error("no");
  });
  await clock.advance(11_900);
  expect(failures.map(([, waitMs]) => waitMs)).toEqual([500, 1_000, 500]);
  controller.abort();
  await end;
});

test("an interval below half a second does not make failures come faster than that", async () => {
  const { clock, controller, failures, end } = start(
    async () => {
      throw new Error("no");
    },
    { intervalMs: 100 },
  );
  await clock.advance(0);
  expect(failures).toEqual([["no", 500]]);
  controller.abort();
  await end;
});

test("what no repetition can fix ends it", async () => {
  const { end, beganAtMs } = start(async () => {
    throw new RangeError("never");
  });
  await expect(end).rejects.toThrow("never");
  expect(beganAtMs).toEqual([0]);
});

test("a failure that comes of being told to end is none", async () => {
  const { failures, end } = start(async (_, controller) => {
    controller.abort();
    throw new RangeError("cut off");
  });
  await end;
  expect(failures).toEqual([]);
});
