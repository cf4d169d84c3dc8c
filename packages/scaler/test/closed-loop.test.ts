/** Load steps up eightfold and down again, and a scaler with a process pool keeps up with it and loses nothing. */
import { useServer } from "@redis-batch/test-support";
import { expect, it } from "vitest";
import { type LoopResult, quantile, reversals, runLoop, WORKER_PER_SECOND } from "./closed-loop.ts";

const redis = useServer();
const LOW = 20;
const HIGH = 8 * LOW;
const OBJECTIVE_MS = 5_000;
const scaling = { maxConsumers: 10, objectiveMs: OBJECTIVE_MS };
// Fewer cannot keep up with the high load.
const FEWEST_FOR_HIGH = Math.ceil(HIGH / WORKER_PER_SECOND);

/** Every message was worked on once: nothing is left, and nobody was killed or died. */
function expectNothingLost({ added, repeated, missing, pending, waiting, workers }: LoopResult): void {
  expect(added).toBeGreaterThan(0);
  expect({ repeated, missing, pending, waiting }).toEqual({ repeated: 0, missing: 0, pending: 0, waiting: 0 });
  const ends = workers.filter((event) => event.type === "workerEnded");
  expect(ends.length).toBe(workers.filter((event) => event.type === "workerStarted").length);
  // A worker that gets the signal while it starts ends by the signal itself.
  for (const { wasAsked, reason } of ends) {
    expect(wasAsked).toBe(true);
    expect(["exit code 0", "SIGTERM"]).toContain(reason);
  }
}

it("adds what a step of the load needs, in one direction, and loses nothing when it takes consumers away at work", async () => {
  const { moves, ...rest } = await runLoop(redis.server, [
    { perSecond: LOW, seconds: 6, scaling },
    { perSecond: HIGH, seconds: 12, until: (so) => (so.at(-1)?.to ?? 0) >= FEWEST_FOR_HIGH },
    // No consumer is taken away within two minutes of a start; a budget that is cut is kept at once.
    { perSecond: LOW, seconds: 3, scaling: { ...scaling, maxConsumers: 2 } },
  ]);
  expectNothingLost({ moves, ...rest });
  const up = moves.filter(({ phase }) => phase < 2);
  expect(reversals(up)).toBe(0);
  expect(up.at(-1)?.to).toBeGreaterThanOrEqual(FEWEST_FOR_HIGH);
  expect(moves.at(-1)).toMatchObject({ phase: 2, to: 2 });
  expect(reversals(moves)).toBe(1);
});

const isLong = process.env["REDIS_BATCH_LONG"] !== undefined;
it.runIf(isLong)(
  "follows the load up and down by itself (eight minutes: only with REDIS_BATCH_LONG)",
  async () => {
    const { moves, tookMs, ...rest } = await runLoop(redis.server, [
      { perSecond: LOW, seconds: 60, scaling },
      { perSecond: HIGH, seconds: 120 },
      { perSecond: LOW, seconds: 300 },
    ]);
    expectNothingLost({ moves, tookMs, ...rest });
    expect(reversals(moves)).toBeLessThanOrEqual(1);
    expect(Math.max(...moves.map(({ to }) => to))).toBeGreaterThanOrEqual(FEWEST_FOR_HIGH);
    expect(moves.at(-1)?.to).toBeLessThanOrEqual(2);
    // Only here: how soon a few seconds' worth of messages are done is the machine's doing as much as the scaler's.
    // Before that all of it starts for the first time.
    for (const took of tookMs.slice(1)) expect(quantile(took, 0.99)).toBeLessThan(OBJECTIVE_MS);
  },
  600_000,
);
