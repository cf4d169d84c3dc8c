import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PriorityQueue } from "./priority-queue.ts";

const numbers = () => new PriorityQueue<number>((left, right) => left < right);

describe("PriorityQueue", () => {
  it("returns what was put in, in order", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 50 })), (items) => {
        const queue = numbers();
        for (const item of items) queue.push(item);
        expect(items.map(() => queue.pop())).toEqual(items.toSorted((left, right) => left - right));
        expect(queue.pop()).toBeUndefined();
      }),
    );
  });

  it("shows the first of what is in it, whatever was added and taken before", () => {
    const steps = fc.array(
      fc.oneof({ weight: 2, arbitrary: fc.integer({ min: 0, max: 50 }) }, fc.constant("take" as const)),
    );
    fc.assert(
      fc.property(steps, (all) => {
        const queue = numbers();
        let model: readonly number[] = [];
        for (const step of all) {
          const taken = step === "take" ? queue.pop() : queue.push(step);
          expect(taken).toBe(step === "take" ? model[0] : undefined);
          model = step === "take" ? model.slice(1) : [...model, step].toSorted((left, right) => left - right);
          expect(queue.peek()).toBe(model[0]);
        }
      }),
    );
  });
});
