import { ManualClock } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import { WakeSignal } from "./wake-signal.ts";

function setUp() {
  const clock = new ManualClock();
  const wake = new WakeSignal(clock);
  const woken: string[] = [];
  const wait = async (name: string, atMostMs: number | null): Promise<void> => {
    await wake.wait(atMostMs);
    woken.push(name);
  };
  return { clock, wake, woken, wait };
}

describe("WakeSignal", () => {
  it("wakes at a notification", async () => {
    const { clock, wake, woken, wait } = setUp();
    void wait("a", null);
    await clock.advance(1_000_000);
    expect(woken).toEqual([]);
    wake.notify();
    await clock.settle();
    expect(woken).toEqual(["a"]);
  });

  it("keeps a notification for the next wait, and only for that one", async () => {
    const { clock, wake, woken, wait } = setUp();
    wake.notify();
    wake.notify();
    void wait("a", null);
    void wait("b", null);
    await clock.settle();
    expect(woken).toEqual(["a"]);
  });

  it("wakes after the time given, and leaves no timer behind when notified before", async () => {
    const { clock, wake, woken, wait } = setUp();
    void wait("a", 100);
    await clock.advance(99);
    expect(woken).toEqual([]);
    await clock.advance(1);
    expect(woken).toEqual(["a"]);
    void wait("b", 100);
    wake.notify();
    await clock.settle();
    expect(woken).toEqual(["a", "b"]);
    expect(clock.pending).toBe(0);
  });
});
