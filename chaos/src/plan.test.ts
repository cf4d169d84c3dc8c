import { expect, test } from "vitest";
import { FAULT_KINDS, type PlanOptions, planFaults } from "./plan.ts";

const KINDS = FAULT_KINDS.standalone;

const options: PlanOptions = {
  seed: 1,
  durationMs: 60_000,
  workers: 3,
  kinds: KINDS,
  leaseMs: 2_000,
  everyMs: 700,
};

test("the same seed gives the same plan, another seed another one", () => {
  expect(planFaults(options)).toEqual(planFaults(options));
  expect(planFaults({ ...options, seed: 2 })).not.toEqual(planFaults(options));
});

test("every kind comes before any is repeated; FLUSHALL is never repeated", () => {
  const kinds = planFaults(options).map(({ kind }) => kind);
  expect(new Set(kinds.slice(0, KINDS.length)).size).toBe(KINDS.length);
  expect(kinds.length).toBeGreaterThan(KINDS.length * 2);
  expect(kinds.filter((kind) => kind === "flushAll")).toHaveLength(1);
});

test("all faults begin within the time, in order, in a worker's place", () => {
  let lastMs = 0;
  for (const { atMs, worker } of planFaults(options)) {
    expect(atMs).toBeGreaterThanOrEqual(lastMs);
    expect(atMs).toBeLessThan(options.durationMs);
    expect(worker).toBeLessThan(options.workers);
    lastMs = atMs;
  }
});

test("without kinds there are no faults", () => {
  expect(planFaults({ ...options, kinds: [] })).toEqual([]);
  expect(planFaults({ ...options, kinds: ["flushAll"] })).toHaveLength(1);
});
