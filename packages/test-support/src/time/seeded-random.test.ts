import { expect, test } from "vitest";
import { seededRandom } from "./seeded-random.ts";

test("the same seed gives the same sequence, another seed another", () => {
  const draw = (seed: number) => {
    const random = seededRandom(seed);
    return Array.from({ length: 5 }, () => random.next());
  };
  expect(draw(7)).toEqual(draw(7));
  expect(draw(7)).not.toEqual(draw(8));
});

test("gives what mulberry32 gives", () => {
  // From the generator's reference implementation, seed 1.
  expect(seededRandom(1).next()).toBeCloseTo(0.62707394058816135, 15);
});

test("is spread evenly over [0, 1)", () => {
  const random = seededRandom(1);
  const tenths = Array.from({ length: 10 }, () => 0);
  for (let draw = 0; draw < 10_000; draw += 1) {
    const tenth = random.integer(10);
    tenths[tenth] = (tenths[tenth] ?? 0) + 1;
  }
  for (const count of tenths) expect(Math.abs(count - 1_000)).toBeLessThan(150);
});

test("shuffles into another order of the same items, and leaves the list alone", () => {
  const items = [1, 2, 3, 4, 5, 6, 7, 8];
  const shuffled = seededRandom(3).shuffle(items);
  expect(shuffled).not.toEqual(items);
  expect(shuffled.toSorted((a, b) => a - b)).toEqual(items);
  expect(items).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
});

test("picks one of the items, and refuses to pick from none", () => {
  const random = seededRandom(5);
  const picked = new Set(Array.from({ length: 100 }, () => random.pick(["a", "b", "c"])));
  expect([...picked].toSorted()).toEqual(["a", "b", "c"]);
  expect(() => random.pick([])).toThrow(RangeError);
  expect(() => random.integer(0)).toThrow(RangeError);
});

test("gives any byte", () => {
  expect(new Set(seededRandom(1).bytes(10_000)).size).toBe(256);
});
