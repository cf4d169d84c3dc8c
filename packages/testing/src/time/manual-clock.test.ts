import { describe, expect, test } from "vitest";
import { ManualClock } from "./manual-clock.ts";

describe("a manual clock", () => {
  test("stays until it is moved", async () => {
    const clock = new ManualClock(500);
    expect(clock.nowMs()).toBe(500);
    await clock.advance(20);
    expect(clock.nowMs()).toBe(520);
  });

  test("runs timers in the order they are due, each at its own time", async () => {
    const clock = new ManualClock(0);
    const ran: [string, number][] = [];
    clock.setTimer(30, () => ran.push(["c", clock.nowMs()]));
    clock.setTimer(10, () => ran.push(["a", clock.nowMs()]));
    clock.setTimer(10, () => ran.push(["b", clock.nowMs()]));
    await clock.advance(29);
    expect(ran).toEqual([
      ["a", 10],
      ["b", 10],
    ]);
    await clock.advance(1);
    expect(ran.at(-1)).toEqual(["c", 30]);
  });

  test("runs what a timer sets while the time moves over it", async () => {
    const clock = new ManualClock(0);
    const ticks: number[] = [];
    const tick = () => {
      ticks.push(clock.nowMs());
      clock.setTimer(10, tick);
    };
    clock.setTimer(10, tick);
    await clock.advance(35);
    expect(ticks).toEqual([10, 20, 30]);
    expect(clock.pending).toBe(1);
  });

  test("lets promises settle between two timers", async () => {
    const clock = new ManualClock(0);
    const seen: string[] = [];
    const sleep = (ms: number) => new Promise<void>((done) => void clock.setTimer(ms, done));
    const loop = async (name: string, ms: number) => {
      for (let round = 1; round <= 2; round += 1) {
        await sleep(ms);
        await Promise.resolve();
        seen.push(`${name}${round}`);
      }
    };
    void loop("slow", 20);
    void loop("quick", 15);
    await clock.advance(40);
    expect(seen).toEqual(["quick1", "slow1", "quick2", "slow2"]);
  });

  test("forgets a timer that was cancelled, also by another timer due at the same time", async () => {
    const clock = new ManualClock();
    const ran: string[] = [];
    const cancels: (() => void)[] = [];
    clock.setTimer(10, () => {
      ran.push("first");
      for (const cancel of cancels) cancel();
    });
    cancels.push(clock.setTimer(10, () => ran.push("second")));
    await clock.advance(10);
    expect(ran).toEqual(["first"]);
    expect(clock.pending).toBe(0);
  });

  test("moves to the next timer, however far, and says how long that took", async () => {
    const clock = new ManualClock();
    let ran = false;
    clock.setTimer(3_600_000, () => {
      ran = true;
    });
    expect(await clock.advanceToNext()).toBe(3_600_000);
    expect(ran).toBe(true);
    expect(await clock.advanceToNext()).toBeUndefined();
  });

  test("moves until a promise settles, and gives what it settles with", async () => {
    const clock = new ManualClock(0);
    const after = (ms: number) => new Promise<number>((done) => void clock.setTimer(ms, () => done(ms)));
    const twice = async () => (await after(3_000)) + (await after(4_000));
    expect(await clock.advanceUntil(twice())).toBe(7_000);
    expect(clock.nowMs()).toBe(7_000);
    await expect(clock.advanceUntil(Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(clock.nowMs()).toBe(7_000);
  });

  test("says when a promise does not settle in time, or never will", async () => {
    const clock = new ManualClock(0);
    const tick = () => clock.setTimer(10, tick);
    const never = new Promise(() => {});
    await expect(clock.advanceUntil(never)).rejects.toThrow("no timer is set");
    tick();
    await expect(clock.advanceUntil(never, 1_000)).rejects.toThrow("within 1000 ms");
    expect(clock.nowMs()).toBe(1_000);
  });

  test("refuses to go back, and delays that are no number", async () => {
    const clock = new ManualClock();
    await expect(clock.advance(-1)).rejects.toThrow(RangeError);
    expect(() => clock.setTimer(Number.NaN, () => undefined)).toThrow(RangeError);
    expect(() => new ManualClock(Number.NaN)).toThrow(RangeError);
    expect(() => new ManualClock("0" as never)).toThrow(RangeError);
    await expect(clock.advanceUntil(Promise.resolve(), Number.NaN)).rejects.toThrow(RangeError);
  });
});
