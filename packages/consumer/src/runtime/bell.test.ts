import { ManualClock } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import { Bell } from "./bell.ts";

function setUp() {
  const clock = new ManualClock();
  const bell = new Bell(clock);
  const woken: string[] = [];
  const rest = async (name: string, atMostMs: number | null): Promise<void> => {
    await bell.rest(atMostMs);
    woken.push(name);
  };
  return { clock, bell, woken, rest };
}

describe("Bell", () => {
  it("wakes at a ring", async () => {
    const { clock, bell, woken, rest } = setUp();
    void rest("a", null);
    await clock.advance(1_000_000);
    expect(woken).toEqual([]);
    bell.ring();
    await clock.settle();
    expect(woken).toEqual(["a"]);
  });

  it("keeps a ring for the next rest, and only for that one", async () => {
    const { clock, bell, woken, rest } = setUp();
    bell.ring();
    bell.ring();
    void rest("a", null);
    void rest("b", null);
    await clock.settle();
    expect(woken).toEqual(["a"]);
  });

  it("wakes after the time given, and leaves no timer behind when rung before", async () => {
    const { clock, bell, woken, rest } = setUp();
    void rest("a", 100);
    await clock.advance(99);
    expect(woken).toEqual([]);
    await clock.advance(1);
    expect(woken).toEqual(["a"]);
    void rest("b", 100);
    bell.ring();
    await clock.settle();
    expect(woken).toEqual(["a", "b"]);
    expect(clock.pending).toBe(0);
  });
});
