import { describe, expect, it } from "vitest";
import { desiredReplicas, Hpa } from "./hpa.ts";

describe("the autoscaler's algorithm", () => {
  it("leaves what is within a tenth of the target", () => {
    expect(desiredReplicas(109, 10, 10)).toBe(10);
    expect(desiredReplicas(91, 10, 10)).toBe(10);
    expect(desiredReplicas(111, 10, 10)).toBe(12);
  });

  it("adds four or doubles: the larger number", () => {
    expect(new Hpa().step(100, 1, 0)).toBe(5);
    expect(new Hpa().step(100, 10, 0)).toBe(20);
  });

  it("goes down only to the highest of the last five minutes", () => {
    const hpa = new Hpa();
    expect(hpa.step(10, 10, 0)).toBe(10);
    expect(hpa.step(2, 10, 15_000)).toBe(10);
    expect(hpa.step(3, 10, 301_000)).toBe(3);
  });

  it("does not go below one", () => {
    expect(new Hpa().step(0, 5, 0)).toBe(1);
  });
});
