import { ManualClock, seededRandom } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import { LookTimes } from "./look-times.ts";

describe("The streams of a consumer", () => {
  it("look at the same time, however long their answers take", async () => {
    const clock = new ManualClock();
    const times = new LookTimes({ clock, random: () => 0 });
    const first = clock.nowMs() + times.nextInMs;
    await clock.advance(20);
    const second = clock.nowMs() + times.nextInMs;
    expect(second).toBe(first);
  });

  it("look at least each second, and not twice at a time where a timer is early", async () => {
    const clock = new ManualClock();
    const random = seededRandom(16);
    const times = new LookTimes({ clock, random: () => random.next() });
    for (let look = 0; look < 1_000; look++) {
      const inMs = times.nextInMs;
      expect(inMs).toBeGreaterThanOrEqual(750);
      expect(inMs).toBeLessThanOrEqual(1_000);
      await clock.advance(inMs - (look % 3));
    }
  });
});
