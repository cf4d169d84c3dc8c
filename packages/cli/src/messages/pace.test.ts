import { ManualClock } from "@redis-batch/test-support";
import { expect, test } from "vitest";
import { Pace } from "./pace.ts";

const never = new AbortController().signal;

test("lets no more pass than the rate allows, and at once what has been waited for", async () => {
  const clock = new ManualClock();
  const pace = new Pace(10, clock);
  let passed = 0;
  void (async () => {
    for (;;) {
      await pace.next(never);
      passed++;
    }
  })();
  await clock.advance(1_000);
  expect(passed).toBeGreaterThanOrEqual(10);
  expect(passed).toBeLessThanOrEqual(12);
});

test("does not make up for a source that paused", async () => {
  const clock = new ManualClock();
  const pace = new Pace(10, clock);
  await pace.next(never);
  await clock.advance(60_000);
  let passed = 0;
  void (async () => {
    for (;;) {
      await pace.next(never);
      passed++;
    }
  })();
  await clock.advance(0);
  expect(passed).toBeLessThanOrEqual(2);
});

test("delays nothing without a rate, and ends at once when it is aborted", async () => {
  const clock = new ManualClock();
  const beganAtMs = clock.nowMs();
  await new Pace(undefined, clock).next(never);
  const pace = new Pace(1, clock);
  await pace.next(AbortSignal.abort());
  await pace.next(AbortSignal.abort());
  await pace.next(AbortSignal.abort());
  expect(clock.nowMs()).toBe(beganAtMs);
});
