import { expect, test } from "vitest";
import type { Offer } from "./duplicate.ts";
import { countOwnFailures } from "./own-failures.ts";

const ORDER_KEYS = new Map([
  ["k1", "a"],
  ["k2", "a"],
  ["k3", "b"],
]);
const offer = (nth: number, changes: Partial<Offer> = {}): Offer => ({
  ...{ key: `k${nth}`, id: `1-${nth}`, worker: "w", atMs: 100, deliveries: 1, settledAtMs: undefined },
  ...{ worked: undefined, refusedAtMs: undefined, endedAtMs: 200, deferred: undefined, ...changes },
});
const done: Partial<Offer> = { worked: { how: "done", atMs: 150 } };
const lives = (endedAtMs: number) =>
  new Map([["w", { worker: "w", endedAtMs, standstills: [], closingAtMs: undefined }]]);
const failuresOf = (...offers: Offer[]) =>
  Object.fromEntries(countOwnFailures(offers, ORDER_KEYS, lives(9_000), 4_000));

test("the first of its key that was not finished has failed, and those behind it were not tried", () => {
  expect(failuresOf(offer(1), offer(2), offer(3, done))).toEqual({ "1-1": 1 });
  expect(failuresOf(offer(2), offer(1, done), offer(3))).toEqual({ "1-2": 1, "1-3": 1 });
});

test("each batch counts", () => {
  const again = { atMs: 300, endedAtMs: 400, failedAtMs: 350 };
  expect(failuresOf(offer(1, { failedAtMs: 150 }), offer(1, again), offer(1, { ...again, worker: "v" }))).toEqual({
    "1-1": 3,
  });
});

test("in a batch that failed whole only what the handler itself failed with counts", () => {
  expect(failuresOf(offer(1), offer(3))).toEqual({});
  expect(failuresOf(offer(1, { failedAtMs: 150 }), offer(3))).toEqual({ "1-1": 1 });
});

test("what hangs has failed, and what died with its process has not", () => {
  const never = { endedAtMs: undefined };
  expect(failuresOf(offer(1, never), offer(3, { ...never, ...done }))).toEqual({ "1-1": 1 });
  expect(Object.fromEntries(countOwnFailures([offer(1, never)], ORDER_KEYS, lives(1_000), 4_000))).toEqual({});
});

test("what was finished when it had been held for too long has failed all the same", () => {
  expect(failuresOf(offer(1, { worked: { how: "done", atMs: 6_000 } }))).toEqual({ "1-1": 1 });
});
