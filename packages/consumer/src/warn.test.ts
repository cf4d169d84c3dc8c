import { ODD_VALUES } from "@redis-batch/test-support";
import { expect, it } from "vitest";
import type { StreamEvent } from "./events.ts";
import { describeProblem } from "./warn.ts";

const error = { code: "CONNECTION", message: "it is away" } as const;

it.each<StreamEvent>([
  { type: "heldTooLong", messages: 3, hung: 1 },
  { type: "unfit", failures: 5, succeededElsewhere: 2 },
  { type: "releaseFailed", messages: 3, retryInMs: 50, error },
  { type: "delaysInMemory", error },
  { type: "intakeHeld", by: "ahead-of-stream" },
  { type: "deadLettered", id: "1-0", why: "hung", error: "" },
])("has words for what somebody has to look at ($type)", (event) => {
  expect(describeProblem(event)).not.toBe("");
  expect(describeProblem(event)).toBeDefined();
});

it.each<StreamEvent>([
  { type: "fit" },
  { type: "intakeOpened" },
  { type: "intakeHeld", by: "paused" },
  { type: "released", messages: 3, why: "draining" },
  { type: "deferred", messages: 3 },
  { type: "claimed", messages: 3 },
  { type: "deadLettered", id: "1-0", why: "rejected", error: "no such customer" },
])("has none for what is as it should be ($type)", (event) => {
  expect(describeProblem(event)).toBeUndefined();
});

it("says why a message is a dead letter, and where a handler failed", () => {
  const words = { type: "deadLettered", id: "1-0", why: "maxDeliveries", error: "Error: disk full" } as const;
  expect(describeProblem(words)).toBe("message 1-0 went to the dead letters (maxDeliveries): Error: disk full");
  const failed = describeProblem({
    type: "handlerFailed",
    batchId: "a-1",
    messages: 3,
    error: new TypeError("no disk"),
  });
  expect(failed).toMatch(/on a batch of 3; .*: TypeError: no disk at .*warn\.test/);
});

it.each(ODD_VALUES)("has words for a handler that throws %s", (_what, thrown) => {
  expect(describeProblem({ type: "handlerFailed", batchId: "a-1", messages: 3, error: thrown })).toContain(
    "on a batch of 3",
  );
});

it.each<StreamEvent>([
  { type: "nothingSettled", batchId: "a-1", messages: 1 },
  { type: "ackFailed", messages: 1, retryInMs: 50, error },
  { type: "releaseFailed", messages: 1, retryInMs: 50, error },
  { type: "deadLetterFailed", messages: 1, retryInMs: 50, error },
  { type: "heldTooLong", messages: 1, hung: 1 },
  { type: "unfit", failures: 5, succeededElsewhere: 1 },
  { type: "outcomeTooLate", ids: ["1-0"], why: "not-owned" },
  { type: "laterLost", ids: ["1-0"] },
  { type: "pendingTrimmed", ids: ["1-0"] },
])("speaks of one message in the singular ($type)", (event) => {
  expect(describeProblem(event)).not.toMatch(/\bmessages\b|were|belong\b/);
});
