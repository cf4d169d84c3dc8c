import { expect, test } from "vitest";
import { delayOf, NO_FAULTS, slices, transferMs } from "./faults.ts";

test("jitter comes on top of latency, by chance", () => {
  const faults = { ...NO_FAULTS, latencyMs: 20, jitterMs: 10 };
  expect(delayOf(faults, 0)).toBe(20);
  expect(delayOf(faults, 0.5)).toBe(25);
});

test("a line is taken by its bytes, and unlimited without a fault", () => {
  expect(transferMs({ ...NO_FAULTS, bytesPerSecond: 1_000 }, 50)).toBe(50);
  expect(transferMs(NO_FAULTS, 1_000_000)).toBe(0);
});

test("slices hold every byte once, in order", () => {
  const bytes = Buffer.from("0123456789");
  expect(slices(bytes, 4).map(String)).toEqual(["0123", "4567", "89"]);
  expect(slices(bytes, 0)).toEqual([bytes]);
  expect(slices(bytes, 10)).toEqual([bytes]);
});
