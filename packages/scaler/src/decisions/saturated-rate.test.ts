import { expect, it } from "vitest";
import { measureSaturated, NOT_SATURATED } from "./saturated-rate.ts";

const output = { isFull: true, isSteady: true, ready: 4, perSecond: 40 };

it("takes what comes out for a lower bound, and for exact once all had enough to do for a while", () => {
  let memory = measureSaturated(NOT_SATURATED, { ...output, isFull: false, perSecond: 80 });
  expect(memory).toEqual({ perSecond: 20, looks: 0 });
  memory = measureSaturated(memory, { ...output, isFull: false });
  expect(memory.perSecond).toBe(20);
  for (let look = 0; look < 40; look++) memory = measureSaturated(memory, output);
  expect(memory.perSecond).toBeCloseTo(10, 3);
});

it("learns nothing while nothing is delivered", () => {
  expect(measureSaturated(NOT_SATURATED, { ...output, perSecond: null })).toEqual({ perSecond: 0, looks: 1 });
});
