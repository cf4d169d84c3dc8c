import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ReplySize } from "./reply-size.ts";

describe("ReplySize", () => {
  it("asks for half as many after each reply that was lost, down to one, and never stays there", () => {
    const size = new ReplySize();
    const limits = [8, 4, 2, 1, 1].map((messages) => {
      size.wasCut(messages);
      return size.limit;
    });
    expect(limits).toEqual([4, 2, 1, 1, 1]);
    for (let arrivals = 0; arrivals < 20; arrivals++) size.arrived(1, 10);
    expect(size.limit).toBeGreaterThan(1_000_000);
  });

  it("takes larger messages in at once, and smaller ones by and by", () => {
    const size = new ReplySize();
    size.arrived(100, 1_000);
    expect(size.meanBytes).toBe(10);
    size.arrived(1, 1_000);
    expect(size.meanBytes).toBe(1_000);
    size.arrived(1, 10);
    expect(size.meanBytes).toBeGreaterThan(900);
    for (let replies = 0; replies < 20; replies++) size.arrived(100, 1_000);
    expect(size.meanBytes).toBeLessThan(11);
  });

  it("stays between the smallest and the largest message there was, and always lets one message through", () => {
    const anyReply = fc.oneof(
      fc.tuple(fc.integer({ min: 0, max: 1_000 }), fc.integer({ min: 1, max: 10_000 })),
      fc.integer({ min: 1, max: 1_000 }),
    );
    fc.assert(
      fc.property(fc.array(anyReply), (replies) => {
        const size = new ReplySize();
        const means: number[] = [];
        for (const reply of replies) {
          if (typeof reply === "number") {
            size.wasCut(reply);
          } else {
            const [messages, mean] = reply;
            size.arrived(messages, messages * mean);
            if (messages > 0) means.push(mean);
          }
          expect(size.limit).toBeGreaterThanOrEqual(1);
          expect(size.meanBytes).toBeLessThanOrEqual(Math.max(0, ...means));
          expect(size.meanBytes).toBeGreaterThanOrEqual(means.length === 0 ? 0 : Math.min(...means));
        }
      }),
    );
  });
});
