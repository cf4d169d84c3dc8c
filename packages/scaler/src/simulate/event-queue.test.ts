import * as fc from "fast-check";
import { expect, it } from "vitest";
import { EventQueue } from "./event-queue.ts";

it("gives back what was put in, the earliest first", () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 100, noNaN: true })), (times) => {
      const queue = new EventQueue<number>();
      for (const at of times) queue.push(at, at);
      const taken: number[] = [];
      for (let next = queue.pop(); next !== undefined; next = queue.pop()) taken.push(next);
      expect(taken).toEqual(times.toSorted((a, b) => a - b));
      expect(queue.nextAt).toBe(Number.POSITIVE_INFINITY);
    }),
  );
});
