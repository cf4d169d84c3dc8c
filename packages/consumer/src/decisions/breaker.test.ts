import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type BatchEnd, type Breaker, CLOSED, decideBreaker } from "./breaker.ts";

const policy = { baseMs: 1_000, capMs: 60_000 };

function after(breaker: Breaker, end: BatchEnd, ids: readonly string[], nowMs = 0): Breaker {
  return decideBreaker(breaker, end, ids, nowMs, policy, () => 1);
}

describe("decideBreaker", () => {
  it("opens when batches fail whole that have no message in common", () => {
    const once = after(CLOSED, "failed", ["1", "2", "3"]);
    expect(once.kind).toBe("closed");
    expect(after(once, "failed", ["4", "5"])).toEqual({ kind: "open", attempts: 1, notBeforeMs: 1_000 });
  });

  it("stays closed for fewer than three messages", () => {
    expect(after(after(CLOSED, "failed", ["1"]), "failed", ["2"]).kind).toBe("closed");
  });

  it("never opens for a lone poison message, whatever company it fails in", () => {
    const company = fc.array(fc.array(fc.stringMatching(/^[a-z]{1,2}$/), { maxLength: 20 }), { maxLength: 50 });
    fc.assert(
      fc.property(company, (batches) => {
        let breaker: Breaker = CLOSED;
        for (const batch of batches) breaker = after(breaker, "failed", [...batch, "POISON"]);
        expect(breaker.kind).toBe("closed");
      }),
    );
  });

  it("forgets every failure at a success", () => {
    const almost = after(CLOSED, "failed", ["1", "2", "3"]);
    const fresh = after(almost, "succeeded", ["4"]);
    expect(after(fresh, "failed", ["5"]).kind).toBe("closed");
  });

  it("tries again after growing intervals, up to the cap, until one succeeds", () => {
    let breaker = after(after(CLOSED, "failed", ["1", "2"]), "failed", ["3"]);
    const waits: number[] = [];
    for (let attempt = 0; attempt < 8; attempt++) {
      waits.push(breaker.kind === "open" ? breaker.notBeforeMs : Number.NaN);
      breaker = after(breaker, "failed", ["1"]);
    }
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
    expect(after(breaker, "succeeded", ["1"])).toBe(CLOSED);
  });

  it("learns nothing from a batch of which nobody has said how it went", () => {
    const once = after(CLOSED, "failed", ["1", "2", "3"]);
    expect(after(once, "unsaid", ["9"])).toBe(once);
  });
});
