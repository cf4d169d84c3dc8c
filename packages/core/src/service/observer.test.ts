import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { setImmediate as nextTurn } from "node:timers/promises";
import { runInNewContext } from "node:vm";
import { ODD_VALUES } from "@redis-batch/test-support";
import { afterEach, expect, test, vi } from "vitest";
import { createNotifier } from "./observer.ts";

interface Event {
  readonly type: string;
  readonly count: number;
}

afterEach(() => {
  vi.restoreAllMocks();
});

test("hands each event to the observer, in order", () => {
  const seen: Event[] = [];
  const notify = createNotifier<Event>("consumer", (event) => seen.push(event));
  notify({ type: "batch", count: 1 });
  notify({ type: "batch", count: 2 });
  expect(seen).toEqual([
    { type: "batch", count: 1 },
    { type: "batch", count: 2 },
  ]);
});

test("needs no observer", () => {
  expect(() => createNotifier<Event>("consumer", undefined)({ type: "batch", count: 1 })).not.toThrow();
});

test("publishes on the service's diagnostics channel", () => {
  const seen: unknown[] = [];
  const watch = (event: unknown): void => void seen.push(event);
  subscribe("redis-batch:consumer", watch);
  try {
    createNotifier<Event>("consumer", undefined)({ type: "batch", count: 1 });
    createNotifier<Event>("monitor", undefined)({ type: "batch", count: 2 });
  } finally {
    unsubscribe("redis-batch:consumer", watch);
  }
  expect(seen).toEqual([{ type: "batch", count: 1 }]);
});

test("what an observer throws becomes a warning and never reaches the service", () => {
  const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  const notify = createNotifier<Event>("consumer", () => {
    throw new Error("broken log");
  });
  expect(() => notify({ type: "batch", count: 1 })).not.toThrow();
  expect(warn).toHaveBeenCalledExactlyOnceWith('the observer of the consumer threw on "batch": Error: broken log', {
    type: "RedisBatchWarning",
    code: "observer",
  });
});

test("what an async observer rejects with becomes a warning and never ends the process", async () => {
  const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  const observer: (event: Event) => unknown = () => Promise.reject(new Error("broken log"));
  createNotifier<Event>("consumer", observer)({ type: "batch", count: 1 });
  await vi.waitFor(() => expect(warn).toHaveBeenCalledOnce());
  expect(warn).toHaveBeenCalledWith('the observer of the consumer threw on "batch": Error: broken log', {
    type: "RedisBatchWarning",
    code: "observer",
  });
});

test.each(ODD_VALUES)("an observer that throws, or rejects with, %s is a warning as well", async (_what, value) => {
  const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  const throwing = (): never => {
    throw value;
  };
  // Of another realm, too: that is no Promise to this one.
  const elsewhere = runInNewContext("(async (run) => run())") as (run: () => void) => void;
  // biome-ignore lint/suspicious/useAwait: it is to reject
  for (const observer of [throwing, async () => throwing(), () => elsewhere(throwing)]) {
    warn.mockClear();
    const notify = createNotifier<Event>("consumer", observer);
    expect(() => notify({ type: "batch", count: 1 })).not.toThrow();
    await nextTurn();
    expect(warn).toHaveBeenCalledOnce();
  }
});

test("an observer that always throws is one warning a minute", () => {
  const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  const notify = createNotifier<Event>("consumer", () => {
    throw new Error("broken log");
  });
  for (let count = 0; count < 100; count++) notify({ type: "batch", count });
  expect(warn).toHaveBeenCalledOnce();
});
