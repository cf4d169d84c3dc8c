import { subscribe, unsubscribe } from "node:diagnostics_channel";
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
  expect(warn).toHaveBeenCalledExactlyOnceWith(
    'the observer of the consumer threw on "batch": Error: broken log',
    "RedisBatchWarning",
  );
});

test("what an async observer rejects with becomes a warning and never ends the process", async () => {
  const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  const observer: (event: Event) => unknown = () => Promise.reject(new Error("broken log"));
  createNotifier<Event>("consumer", observer)({ type: "batch", count: 1 });
  await vi.waitFor(() => expect(warn).toHaveBeenCalledOnce());
  expect(warn).toHaveBeenCalledWith(
    'the observer of the consumer threw on "batch": Error: broken log',
    "RedisBatchWarning",
  );
});

test("a thrown value without a text is a warning as well", () => {
  const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  const notify = createNotifier<Event>("consumer", () => {
    throw Object.create(null);
  });
  expect(() => notify({ type: "batch", count: 1 })).not.toThrow();
  expect(warn).toHaveBeenCalledOnce();
});
