import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Breaker, CLOSED, decideBreaker, decideCounting } from "./breaker.ts";

const policy = { retry: { baseMs: 1_000, capMs: 60_000 }, maxDeliveries: 16 };

/** A batch in words: "a" failed, "a!" succeeded, "a9" failed on its ninth delivery. */
function after(breaker: Breaker, batch: readonly string[], nowMs = 0): Breaker {
  const tried = batch.map((word) => ({
    id: word.replace(/[0-9!]/g, ""),
    deliveries: Number(word.match(/[0-9]+/)?.[0] ?? 1),
    hasSucceeded: word.endsWith("!"),
  }));
  return decideBreaker(breaker, tried, nowMs, policy, () => 1);
}

function afterAll(...batches: readonly (readonly string[])[]): Breaker {
  return batches.reduce((breaker: Breaker, batch) => after(breaker, batch), CLOSED);
}

const OPEN = afterAll(["a", "b", "c"], ["d", "e"]);

describe("decideBreaker", () => {
  it("opens when batches fail whole that have no message in common", () => {
    expect(afterAll(["a", "b", "c"]).state.kind).toBe("closed");
    expect(OPEN.state).toEqual({ kind: "open", sinceMs: 0, attempts: 1, notBeforeMs: 1_000 });
  });

  it("stays closed for fewer than three messages", () => {
    expect(afterAll(["a"], ["b"]).state.kind).toBe("closed");
  });

  it("never opens for a lone poison message, whatever company it fails in", () => {
    const company = fc.array(fc.array(fc.stringMatching(/^[a-z]{1,2}$/), { maxLength: 20 }), { maxLength: 50 });
    fc.assert(
      fc.property(company, (batches) => {
        expect(afterAll(...batches.map((batch) => [...batch, "POISON"])).state.kind).toBe("closed");
      }),
    );
  });

  it("forgets every failure of a batch at a success", () => {
    expect(afterAll(["a", "b", "c"], ["d!"], ["e"]).state.kind).toBe("closed");
  });

  it("tries again after growing intervals, up to the cap, until one succeeds", () => {
    let breaker = OPEN;
    const waits: number[] = [];
    for (let attempt = 0; attempt < 8; attempt++) {
      waits.push(breaker.state.kind === "open" ? breaker.state.notBeforeMs : Number.NaN);
      breaker = after(breaker, ["a"]);
    }
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
    expect(after(breaker, ["a!"]).state).toBe(CLOSED.state);
  });

  it("stays as it is while everything succeeds", () => {
    expect(after(CLOSED, ["a!", "b!"])).toBe(CLOSED);
  });
});

describe("a message that fails although the sink is there", () => {
  const poison = ["p", "q", "r", "s"];
  const triedAlone = (breaker: Breaker): Breaker => poison.reduce((state, id) => after(state, [id]), breaker);

  it("says nothing about the sink: several of them, all that is left, do not open the breaker", () => {
    expect(triedAlone(CLOSED).state.kind).toBe("open");
    expect(triedAlone(afterAll([...poison, "a!"])).state.kind).toBe("closed");
  });

  it("is one that failed before another of its batch succeeded", () => {
    expect(triedAlone(afterAll(["a!", ...poison])).state.kind).toBe("open");
  });

  it("is one that failed alone before another batch succeeded", () => {
    expect(triedAlone(after(triedAlone(CLOSED), ["a!"])).state.kind).toBe("closed");
    expect(triedAlone(afterAll(poison, ["a!"])).state.kind).toBe("open");
  });

  it("is one that has failed for more than half of its deliveries, and more than three times", () => {
    expect(afterAll(["p9"], ["q10"], ["r16"]).state.kind).toBe("closed");
    expect(afterAll(["p8"], ["q8"], ["r8"]).state.kind).toBe("open");
    const few = { ...policy, maxDeliveries: 3 };
    const states = ["a", "b", "c"].reduce(
      (breaker: Breaker, id) => decideBreaker(breaker, [{ id, deliveries: 3, hasSucceeded: false }], 0, few, () => 1),
      CLOSED,
    );
    expect(states.state.kind).toBe("open");
  });

  it("explains the failure of a whole batch, and hides no others", () => {
    const known = afterAll(["p", "a!"]);
    expect(
      [
        ["p", "b"],
        ["p", "c"],
        ["p", "d"],
      ].reduce(after2, known).state.kind,
    ).toBe("closed");
    expect([["b"], ["c"], ["d"]].reduce(after2, known).state.kind).toBe("open");
  });

  it("does not close an open breaker", () => {
    expect(after(OPEN, ["p16"]).state).toMatchObject({ kind: "open", attempts: 2 });
  });

  it("is remembered among the last thousand", () => {
    const many = Array.from({ length: 3_000 }, (_, index) => `m${String.fromCharCode(...digits(index))}`);
    expect(afterAll([...many, "a!"]).bad.size).toBe(1_000);
  });
});

describe("decideCounting", () => {
  it("is off from the moment the breaker opens until a success, or until the outage has lasted too long", () => {
    const later = after(OPEN, ["a"], 5_000);
    expect(decideCounting(CLOSED, 10_000, 0)).toBe(true);
    expect(decideCounting(OPEN, 10_000, 9_999)).toBe(false);
    expect(decideCounting(later, 10_000, 9_999)).toBe(false);
    expect(decideCounting(later, 10_000, 10_000)).toBe(true);
    expect(decideCounting(after(later, ["b!"]), 10_000, 9_999)).toBe(true);
  });
});

const after2 = (breaker: Breaker, batch: readonly string[]): Breaker => after(breaker, batch);

/** Letters in place of digits, which mean deliveries. */
function digits(number: number): readonly number[] {
  return Array.from(String(number), (digit) => 97 + Number(digit));
}
