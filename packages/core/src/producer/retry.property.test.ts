import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ConnectionError, PayloadError, PermissionError, ServerStateError, WrongTypeError } from "../errors/errors.ts";
import { decideRetry } from "./retry.ts";

const passing = fc.constantFrom(
  new ConnectionError("x", { outcome: "unknown" }),
  new ConnectionError("x", { outcome: "not-sent" }),
  new ServerStateError("x", { state: "READONLY" }),
);
const lasting = fc.constantFrom<unknown>(
  new PermissionError("x", { command: "xadd" }),
  new WrongTypeError("x"),
  new PayloadError("x"),
  new Error("x"),
  "x",
);
const failures = fc.integer({ min: 1, max: 1_000 });
const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const ms = fc.integer({ min: 0, max: 3_600_000 });

test("what does not pass by itself is never tried again", () => {
  fc.assert(
    fc.property(lasting, failures, ms, ms, chance, (error, count, elapsedMs, forMs, random) => {
      expect(decideRetry(error, count, elapsedMs, forMs, () => random)).toEqual({ kind: "give-up" });
    }),
  );
});

test("no attempt begins after the time for retries, and none begins at once", () => {
  fc.assert(
    fc.property(passing, failures, ms, ms, chance, (error, count, elapsedMs, forMs, random) => {
      const decision = decideRetry(error, count, elapsedMs, forMs, () => random);
      const delayMs = decision.kind === "retry" ? decision.delayMs : 50;
      expect(delayMs).toBeGreaterThanOrEqual(50);
      expect(delayMs).toBeLessThanOrEqual(2_000);
      expect(decision.kind === "give-up" || elapsedMs + delayMs < forMs).toBe(true);
    }),
  );
});

test("attempts end: the waits between them use up the time", () => {
  fc.assert(
    fc.property(passing, fc.integer({ min: 0, max: 600_000 }), chance, (error, forMs, random) => {
      let elapsedMs = 0;
      let count = 0;
      for (;;) {
        count++;
        const decision = decideRetry(error, count, elapsedMs, forMs, () => random);
        if (decision.kind === "give-up") break;
        elapsedMs += decision.delayMs;
      }
      expect(count).toBeLessThanOrEqual(1 + forMs / 50);
    }),
  );
});
