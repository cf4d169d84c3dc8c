import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MessageQueue } from "./queue.ts";

describe("a queue", () => {
  it("gives new messages in their order, and those that were released only to who claims them", () => {
    const queue = new MessageQueue();
    for (const message of [1, 2, 3]) queue.add(message);
    expect([queue.first, queue.unread, queue.released]).toEqual([1, 3, 0]);
    expect(queue.read(2)).toEqual([1, 2]);
    queue.release([1]);
    expect([queue.first, queue.unread, queue.released]).toEqual([3, 1, 1]);
    expect([...queue]).toEqual([1, 3]);
    expect([queue.claim(5), queue.read(5), queue.read(5)]).toEqual([[1], [3], []]);
    expect(queue.first).toBeUndefined();
  });

  it("loses none and gives none twice, however many it held before", () => {
    const steps = fc.array(fc.record({ added: fc.nat(900), read: fc.nat(900) }), { maxLength: 20 });
    fc.assert(
      fc.property(steps, (all) => {
        const queue = new MessageQueue();
        let added = 0;
        const read: number[] = [];
        for (const step of all) {
          for (let index = 0; index < step.added; index++) queue.add(added++);
          read.push(...queue.read(step.read));
          expect(queue.unread).toBe(added - read.length);
        }
        expect([...read, ...queue]).toEqual(Array.from({ length: added }, (_, index) => index));
      }),
    );
  });
});
