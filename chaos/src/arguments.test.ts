import { expect, test } from "vitest";
import { resolveRound } from "./arguments.ts";
import { FAULT_KINDS } from "./plan.ts";

test("without arguments a round has every fault and a seed by chance", () => {
  expect(resolveRound({}, () => 0.5)).toMatchObject({ minutes: 0, seed: 500_000, kinds: FAULT_KINDS });
});

test("arguments say how much, how long, and which faults", () => {
  const args = { minutes: "1.5", seed: "7", messages: "100", producers: "1", workers: "2", faults: "trim,workerKill" };
  expect(resolveRound(args)).toMatchObject({ minutes: 1.5, seed: 7, messages: 100, producers: 1, workers: 2 });
  expect(resolveRound(args)).toMatchObject({ kinds: ["trim", "workerKill"] });
  expect(resolveRound({ faults: "" })).toMatchObject({ kinds: [] });
});

test("what is wrong is named", () => {
  expect(resolveRound({ seed: "x" })).toBe("--seed must be a whole number, at least 0");
  expect(resolveRound({ workers: "0" })).toBe("--workers must be a whole number, at least 1");
  expect(resolveRound({ minutes: "-1" })).toBe("--minutes must be a number, at least 0");
  expect(resolveRound({ faults: "trim,earthquake" })).toBe("there is no fault called earthquake");
});
