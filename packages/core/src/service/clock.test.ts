import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Clock, pause, systemClock } from "./clock.ts";

/** A clock with at most one timer, which the test lets go off. */
class OneTimer implements Clock {
  delayMs: number | undefined;
  #callback: (() => void) | undefined;

  nowMs(): number {
    return 0;
  }

  setTimer(delayMs: number, callback: () => void): () => void {
    this.delayMs = delayMs;
    this.#callback = callback;
    return () => {
      this.#callback = undefined;
    };
  }

  get isSet(): boolean {
    return this.#callback !== undefined;
  }

  goOff(): void {
    this.#callback?.();
  }
}

async function isSettled(promise: Promise<void>): Promise<boolean> {
  let settled = false;
  void promise.finally(() => {
    settled = true;
  });
  await Promise.resolve();
  return settled;
}

describe("pause", () => {
  test("resolves when the time is over and not before", async () => {
    const clock = new OneTimer();
    const over = pause(clock, 250);
    expect(clock.delayMs).toBe(250);
    expect(await isSettled(over)).toBe(false);
    clock.goOff();
    await over;
  });

  test("an abort ends it at once, without a rejection and without a timer left behind", async () => {
    const clock = new OneTimer();
    const controller = new AbortController();
    const over = pause(clock, 250, controller.signal);
    controller.abort(new Error("stop"));
    await over;
    expect(clock.isSet).toBe(false);
  });

  test("with a signal that has aborted before it sets no timer", async () => {
    const clock = new OneTimer();
    await pause(clock, 250, AbortSignal.abort());
    expect(clock.delayMs).toBeUndefined();
  });

  test("leaves no listener on the signal", async () => {
    const clock = new OneTimer();
    const { signal } = new AbortController();
    const remove = vi.spyOn(signal, "removeEventListener");
    const add = vi.spyOn(signal, "addEventListener");
    const over = pause(clock, 250, signal);
    clock.goOff();
    await over;
    expect(remove.mock.calls.map(([type, listener]) => [type, listener])).toEqual(
      add.mock.calls.map(([type, listener]) => [type, listener]),
    );
  });
});

describe("systemClock", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test("a timer goes off once, after its delay", () => {
    const callback = vi.fn<() => void>();
    systemClock.setTimer(100, callback);
    vi.advanceTimersByTime(99);
    expect(callback).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1_000);
    expect(callback).toHaveBeenCalledOnce();
  });

  test("a cancelled timer does not go off", () => {
    const callback = vi.fn<() => void>();
    systemClock.setTimer(100, callback)();
    vi.advanceTimersByTime(1_000);
    expect(callback).not.toHaveBeenCalled();
  });

  test("a delay beyond 2^31 ms does not go off at once", () => {
    const callback = vi.fn<() => void>();
    const cancel = systemClock.setTimer(2 ** 40, callback);
    vi.advanceTimersByTime(60_000);
    expect(callback).not.toHaveBeenCalled();
    cancel();
  });

  test("now only moves forward", () => {
    const beforeMs = systemClock.nowMs();
    vi.advanceTimersByTime(5);
    expect(systemClock.nowMs()).toBeGreaterThanOrEqual(beforeMs);
  });
});
