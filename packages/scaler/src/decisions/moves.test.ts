import { describe, expect, it } from "vitest";
import { holdFactor, isCoolingDown, type MovesMemory, NO_MOVES, recordMove } from "./moves.ts";
import type { Direction } from "./ratio.ts";

/** A move each time this many milliseconds have passed. */
function after(everyMs: number, ...directions: readonly Direction[]): MovesMemory {
  return directions.reduce((memory, direction, index) => recordMove(memory, direction, index * everyMs), NO_MOVES);
}

describe("isCoolingDown", () => {
  const cooldowns = { scaleOutCooldownMs: 1_000, scaleInCooldownMs: 5_000 };

  it("never holds up the first move", () => {
    expect(isCoolingDown(NO_MOVES, "IN", cooldowns, 0)).toBe(false);
  });

  it("counts from the last move, in either direction", () => {
    const memory = after(1, "OUT");
    expect(isCoolingDown(memory, "OUT", cooldowns, 999)).toBe(true);
    expect(isCoolingDown(memory, "OUT", cooldowns, 1_000)).toBe(false);
    expect(isCoolingDown(memory, "IN", cooldowns, 4_999)).toBe(true);
    expect(isCoolingDown(memory, "IN", cooldowns, 5_000)).toBe(false);
  });

  it("is nothing to one that stays", () => {
    expect(isCoolingDown(after(1, "OUT"), "NO_SCALE", cooldowns, 0)).toBe(false);
  });
});

describe("holdFactor", () => {
  it("is 1 until moves have been taken back three times within ten minutes", () => {
    expect(holdFactor(after(60_000, "OUT", "IN", "OUT"))).toBe(1);
    expect(holdFactor(after(60_000, "OUT", "IN", "OUT", "IN"))).toBe(2);
  });

  it("grows with further reversals, up to a limit", () => {
    const flapping = Array.from({ length: 30 }, (_, index) => (index % 2 === 0 ? "OUT" : "IN"));
    expect(holdFactor(after(60_000, ...flapping.slice(0, 8)))).toBe(6);
    expect(holdFactor(after(10_000, ...flapping))).toBe(8);
  });

  it("does not count moves that are far apart, nor steps the same way", () => {
    expect(holdFactor(after(600_000, "OUT", "IN", "OUT", "IN", "OUT"))).toBe(1);
    expect(holdFactor(after(1_000, "IN", "IN", "IN", "IN", "IN"))).toBe(1);
  });
});
