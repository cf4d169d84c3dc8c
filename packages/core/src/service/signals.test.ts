import { expect, test } from "vitest";
import { onAbort } from "./signals.ts";

test("reacts once when the signal aborts, with its reason", () => {
  const controller = new AbortController();
  const reasons: unknown[] = [];
  onAbort(controller.signal, (reason) => reasons.push(reason));
  expect(reasons).toEqual([]);
  controller.abort("stop");
  controller.abort("again");
  expect(reasons).toEqual(["stop"]);
});

test("reacts at once when the signal has aborted before", () => {
  const reasons: unknown[] = [];
  onAbort(AbortSignal.abort("stop"), (reason) => reasons.push(reason));
  expect(reasons).toEqual(["stop"]);
});

test("does not react after the clean-up", () => {
  const controller = new AbortController();
  const reasons: unknown[] = [];
  onAbort(controller.signal, (reason) => reasons.push(reason))();
  controller.abort("stop");
  expect(reasons).toEqual([]);
});

test("without a signal there is nothing to react to", () => {
  const stop = onAbort(undefined, () => expect.unreachable());
  expect(stop).not.toThrow();
});
