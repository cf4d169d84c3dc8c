import { ConfigError } from "@redis-batch/core";
import { describe, expect, it } from "vitest";
import { type CompareOptions, type CompareProgress, compare, meanOf, type Row, type RunDecision } from "./compare.ts";
import type { Policy } from "./policy.ts";
import type { Scenario } from "./scenario.ts";
import { SCENARIO_DEFAULTS } from "./scenarios.ts";

const still: Policy = {
  ...{ name: "still", title: "moves nothing", interval: 60, wakesAfter: null },
  start: () => ({ decide: ({ current }) => current }),
};
const grows: Policy = { ...still, name: "grows", start: () => ({ decide: ({ current }) => current + 1 }) };
// Enough messages for a few steps.
const steady: Scenario = {
  ...SCENARIO_DEFAULTS,
  ...{ name: "steady", title: "50/s", seconds: 900, firstConsumers: 4, rate: () => 50 },
};
const all = { policies: [still, grows], scenarios: [steady], seeds: [1, 2] } satisfies CompareOptions;

async function rowsOf(options: CompareOptions): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const row of compare(options)) rows.push(row);
  return rows;
}

describe("compare", () => {
  it("runs every policy with every seed, each on the same messages", async () => {
    const rows = await rowsOf(all);
    expect(rows.map(({ scenario, policy, seed }) => [scenario, policy, seed])).toEqual([
      ["steady", "still", 1],
      ["steady", "grows", 1],
      ["steady", "still", 2],
      ["steady", "grows", 2],
    ]);
    const hours = rows.map(({ consumerHours }) => consumerHours);
    expect(hours).toEqual([1, expect.any(Number), 1, expect.any(Number)]);
    expect(hours[1]).toBeGreaterThan(2);
    expect(meanOf(rows, "steady", "still")).toMatchObject({ consumerHours: 1, actions: 0 });
    expect(meanOf(rows, "steady", "nobody")).toBeNull();
    expect(await rowsOf({ ...all, seeds: [2] })).toEqual(rows.slice(2));
  });

  it("reports its progress, and lets other work run meanwhile", async () => {
    const told: CompareProgress[] = [];
    let turns = 0;
    const other = setInterval(() => turns++, 0);
    await rowsOf({ ...all, onProgress: (progress) => told.push(progress) });
    clearInterval(other);
    expect(turns).toBeGreaterThan(0);
    const shares = told.map(({ done, share }) => done + (share < 1 ? share : 0));
    expect(shares).toEqual(shares.toSorted((a, b) => a - b));
    expect(told.some(({ share }) => share > 0 && share < 1)).toBe(true);
    expect(told.at(-1)).toEqual({ done: 4, runs: 4, scenario: "steady", policy: "grows", seed: 2, share: 1 });
  });

  it("reports every decision, and the state of the group at that time", async () => {
    const told: RunDecision[] = [];
    const load: Scenario = { ...steady, rate: () => 0 };
    await rowsOf({ ...all, scenarios: [load], seeds: [1], onDecision: (decision) => told.push(decision) });
    const looks = steady.seconds / still.interval;
    expect(told).toHaveLength(2 * looks);
    expect(told[0]).toEqual({
      ...{ scenario: "steady", policy: "still", seed: 1 },
      ...{ at: 60, desired: 4, ready: 4, waiting: 0 },
    });
    expect(told.slice(looks, looks + 3).map(({ desired }) => desired)).toEqual([5, 6, 7]);
  });

  it("ends in the middle of a run when its signal aborts", async () => {
    const stop = new AbortController();
    const reason = new Error("enough");
    const told: CompareProgress[] = [];
    const onProgress = (progress: CompareProgress): void => {
      told.push(progress);
      stop.abort(reason);
    };
    await expect(rowsOf({ ...all, signal: stop.signal, onProgress })).rejects.toBe(reason);
    expect(told).toHaveLength(1);
    expect(told[0]?.share).toBeLessThan(1);
  });

  it("ends while the messages are drawn when its signal aborts", async () => {
    const stop = new AbortController();
    const signal = stop.signal;
    const load: Scenario = { ...steady, rate: () => 200 };
    let started = 0;
    const policy: Policy = {
      ...still,
      start(...what) {
        started++;
        return still.start(...what);
      },
    };
    const running = rowsOf({ ...all, policies: [policy], scenarios: [load], signal });
    // It first lets other work run in the middle of the 180,000 messages.
    setImmediate(() => stop.abort(new Error("enough")));
    await expect(running).rejects.toThrow("enough");
    expect(started).toBe(0);
  });

  it("names every problem", async () => {
    const wrong = { policies: [], scenarios: [{ ...steady, minConsumers: 5 }], seeds: [1.5] };
    const failure = await rowsOf(wrong).catch((error: unknown) => error);
    expect(ConfigError.is(failure)).toBe(true);
    expect(String(failure)).toMatch(/policies must not be empty[^]*seeds must be whole[^]*steady: 0 ≤ minConsumers/);
  });

  it.each([
    [{ seconds: Number.NaN }, "seconds must be above 0"],
    [{ seconds: Number.POSITIVE_INFINITY }, "seconds must be above 0, and 604800 at most"],
    [{ batchSize: 0 }, "batchSize must be a whole number from 1 on"],
    [{ maxDeliveries: Number.NaN }, "maxDeliveries must be a whole number from 1 on"],
    [{ overhead: -1 }, "overhead must be seconds, 0 or more"],
    [{ work: { mean: -1, variation: 1 } }, "work.mean must be seconds, 0 or more"],
  ])("refuses a trace that would never end, or means nothing: %o", async (change, problem) => {
    const wrong = { policies: [still], scenarios: [{ ...steady, ...change }], seeds: [1] };
    await expect(rowsOf(wrong)).rejects.toThrow(`steady: ${problem}`);
  });
});
