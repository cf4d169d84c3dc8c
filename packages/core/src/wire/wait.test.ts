import { expect, test } from "vitest";
import { wait } from "./wait.ts";

test("asks for a number of replicas, and reads how many there were", () => {
  expect(wait.encode({ count: 2, timeoutMs: 500 })).toEqual([2, 500]);
  expect(wait.decode(1, { count: 2, timeoutMs: 500 })).toBe(1);
  expect(() => wait.decode(null, { count: 2, timeoutMs: 500 })).toThrow("WAIT");
});
