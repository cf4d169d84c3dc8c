import { expect, test } from "vitest";
import type { Intent } from "./intent.ts";
import { decideRestLimitMs } from "./rest-limit.ts";

const facts = {
  ...{ loadMs: 25_000, leaseMs: 2_000, maxDeliveries: 8, maxOutageMs: 10_000, retryCapMs: 500, left: [] },
  ...{ maxHoldMs: 4_000, deferMs: 8_000, isOrdered: false },
};
const more = (intents: readonly Intent[], changes: Partial<typeof facts> = {}): number => {
  const left = intents.map((intent) => ({ intent, orderKey: "a" }));
  return decideRestLimitMs({ ...facts, ...changes, left }) - decideRestLimitMs(facts);
};

test("with nothing hard left a round has the time to reconnect, to catch up, and to see that there is no outage", () => {
  expect(decideRestLimitMs(facts)).toBe(45_000 + 5_000 + 10_000);
  expect(more(["ack", "retryOnce", "throwOnce", "reject"])).toBe(0);
});

test("what kills its process has a lease, and what it takes to notice, for each delivery", () => {
  expect(more(["killAlways"])).toBe(8 * 9_000);
  expect(more(["killAlways", "killAlways", "killOnce"])).toBe(17 * 9_000);
  expect(more(["hangOnce", "blockOnce"])).toBe(2 * 13_000);
});

test("poison is tried one at a time", () => {
  expect(more(["poison", "poison", "poison"])).toBe(3 * 8 * 500);
});

test("what hangs has the time that it may be held, twice, and what is deferred waits with its like", () => {
  expect(more(["hang"])).toBe(2 * (4_000 + 9_000));
  expect(more(["holdOnce"])).toBe(8_000);
  expect(more(["deferredLong", "deferredLong"])).toBe(8_000);
  expect(more(["deferredLong", "deferredLong"], { isOrdered: true })).toBe(16_000);
});
