import { ManualClock } from "@redis-batch/test-support";
import { describe, expect, test } from "vitest";
import { ConnectionError, PermissionError, ServerStateError, WrongTypeError } from "../errors/errors.ts";
import type { AddOnceResult } from "../wire/atomic/add-once.ts";
import { addUntilConfirmed } from "./add-until-confirmed.ts";
import type { ProducerEvent } from "./events.ts";

const unknown = new ConnectionError("cut", { outcome: "unknown" });
const notSent = new ConnectionError("away", { outcome: "not-sent" });
const oom = new ServerStateError("full", { state: "OOM" });
const added: AddOnceResult = { id: "1-1", added: true };

/** Runs with these ends of the attempts, the last of which repeats. */
function setUp(
  ends: readonly [AddOnceResult | Error, ...(AddOnceResult | Error)[]],
  options: { readonly signal?: AbortSignal } = {},
) {
  const clock = new ManualClock();
  const closing = new AbortController();
  const waits: number[] = [];
  const events: ProducerEvent[] = [];
  const attempt = async (waitMs: number): Promise<AddOnceResult> => {
    const result = ends[Math.min(waits.length, ends.length - 1)] ?? ends[0];
    waits.push(waitMs);
    if (result instanceof Error) throw result;
    return result;
  };
  const end = endOf(
    addUntilConfirmed({
      ...{ attempt, waitMs: 700, retryForMs: 10_000, signal: options.signal, closing: closing.signal, clock },
      random: () => 0.5,
      notify: (event) => events.push(event),
    }),
  );
  return { clock, closing, waits, events, end };
}

/** What a promise resolved or rejected with, once it has. */
function endOf(promise: Promise<unknown>): { value?: unknown } {
  const end: { value?: unknown } = {};
  const keep = async (): Promise<void> => {
    try {
      end.value = await promise;
    } catch (error) {
      end.value = error;
    }
  };
  void keep();
  return end;
}

test("the first attempt that is answered is the last", async () => {
  const { clock, waits, end } = setUp([added]);
  await clock.settle();
  expect(end.value).toEqual({ ...added, attempt: 1 });
  expect(waits).toEqual([700]);
});

test("an unknown outcome and a passing state are tried again, with growing waits", async () => {
  const { clock, events, end } = setUp([unknown, oom, notSent, { id: "1-1", added: false }]);
  await clock.advance(5_000);
  expect(end.value).toEqual({ id: "1-1", added: false, attempt: 4 });
  expect(events).toEqual([
    { type: "retrying", attempt: 1, delayMs: 50, code: "CONNECTION" },
    { type: "retrying", attempt: 2, delayMs: 75, code: "SERVER_STATE" },
    { type: "retrying", attempt: 3, delayMs: 125, code: "CONNECTION" },
  ]);
});

test("a later attempt waits for a connection for what is left of the time", async () => {
  const { clock, waits } = setUp([unknown, added]);
  await clock.advance(50);
  expect(waits).toEqual([700, 9_950]);
});

test("a first attempt that found no connection has waited long enough", async () => {
  const { clock, waits, end } = setUp([notSent, added]);
  await clock.advance(10_000);
  expect(end.value).toBe(notSent);
  expect(waits).toHaveLength(1);
});

describe("gives up", () => {
  test("when the time is over: with the last error when nothing can have been executed", async () => {
    const { clock, end } = setUp([oom]);
    await clock.advance(10_000);
    expect(end.value).toBe(oom);
  });

  test("when the time is over: unknown when any attempt may have been executed", async () => {
    const { clock, end } = setUp([unknown, oom]);
    await clock.advance(10_000);
    expect(end.value).toMatchObject({ outcome: "unknown", cause: oom });
    expect(String(end.value)).toContain("add it again with the same idempotencyKey");
  });

  test("at once on what does not pass by itself", async () => {
    const wrongType = new WrongTypeError("a list");
    const { clock, waits, end } = setUp([wrongType]);
    await clock.settle();
    expect(end.value).toBe(wrongType);
    expect(waits).toHaveLength(1);
  });

  test("unknown, when what does not pass comes after a doubt", async () => {
    const refused = new PermissionError("no", { command: "evalsha" });
    const { clock, end } = setUp([unknown, refused]);
    await clock.advance(10_000);
    expect(end.value).toMatchObject({ outcome: "unknown", cause: refused });
  });
});

describe("an abort", () => {
  test("ends the wait with its reason when nothing can have been executed", async () => {
    const abort = new AbortController();
    const { clock, waits, end } = setUp([oom], { signal: abort.signal });
    await clock.advance(20);
    abort.abort("changed my mind");
    await clock.settle();
    expect(end.value).toBe("changed my mind");
    expect(waits).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });

  test("ends the wait with the doubt when there is one", async () => {
    const abort = new AbortController();
    const { clock, end } = setUp([unknown], { signal: abort.signal });
    await clock.advance(20);
    abort.abort("changed my mind");
    await clock.settle();
    expect(end.value).toMatchObject({ outcome: "unknown" });
    expect(String(end.value)).toContain("It was aborted.");
  });
});

test("closing ends the wait with the last error", async () => {
  const { clock, closing, end } = setUp([oom]);
  await clock.advance(20);
  closing.abort();
  await clock.settle();
  expect(end.value).toBe(oom);
});
