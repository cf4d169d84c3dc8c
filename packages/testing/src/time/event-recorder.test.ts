import { describe, expect, expectTypeOf, test } from "vitest";
import { EventRecorder } from "./event-recorder.ts";

type Event =
  | { readonly type: "started" }
  | { readonly type: "batch"; readonly size: number }
  | { readonly type: "failed"; readonly error: Error };

describe("an event recorder", () => {
  test("finds what was recorded before", async () => {
    const recorder = new EventRecorder<Event>();
    recorder.observe({ type: "batch", size: 3 });
    const batch = await recorder.waitFor("batch");
    expectTypeOf(batch).toEqualTypeOf<{ readonly type: "batch"; readonly size: number }>();
    expect(batch.size).toBe(3);
  });

  test("finds what is recorded later", async () => {
    const recorder = new EventRecorder<Event>();
    const waiting = recorder.waitFor((event) => event.type === "batch" && event.size > 5);
    recorder.observe({ type: "batch", size: 5 });
    recorder.observe({ type: "batch", size: 6 });
    expect(await waiting).toEqual({ type: "batch", size: 6 });
  });

  test("waits for the n-th, counting those recorded before", async () => {
    const recorder = new EventRecorder<Event>();
    recorder.observe({ type: "batch", size: 1 });
    const third = recorder.waitFor("batch", { count: 3 });
    recorder.observe({ type: "batch", size: 2 });
    recorder.observe({ type: "started" });
    recorder.observe({ type: "batch", size: 3 });
    expect((await third).size).toBe(3);
  });

  test("overlooks what was recorded before the mark", async () => {
    const recorder = new EventRecorder<Event>();
    recorder.observe({ type: "batch", size: 1 });
    const next = recorder.waitFor("batch", { after: recorder.events.length });
    recorder.observe({ type: "batch", size: 2 });
    expect((await next).size).toBe(2);
  });

  test("keeps the events of each type in order", () => {
    const { observe, all } = bound(new EventRecorder<Event>());
    observe({ type: "batch", size: 1 });
    observe({ type: "started" });
    observe({ type: "batch", size: 2 });
    expect(all("batch").map(({ size }) => size)).toEqual([1, 2]);
  });

  test("fails with the list of what came instead", async () => {
    const recorder = new EventRecorder<Event>();
    recorder.observe({ type: "started" });
    recorder.observe({ type: "failed", error: new Error("no route") });
    await expect(recorder.waitFor("batch", { timeoutMs: 0, count: 2 })).rejects.toThrow(
      '2 × "batch" did not come within 0 ms; recorded:\n  started\n  failed {"error":"Error: no route"}',
    );
    const silent = new EventRecorder<Event>();
    await expect(silent.waitFor("batch", { timeoutMs: 0 })).rejects.toThrow("nothing was recorded");
  });
});

function bound(recorder: EventRecorder<Event>) {
  return { observe: recorder.observe, all: recorder.all.bind(recorder) };
}
