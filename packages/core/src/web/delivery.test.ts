import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decideDelivery } from "./delivery.ts";

const policy = { maxAttempts: 5, backoff: { baseMs: 1_000, capMs: 60_000 } };
const least = (): number => 0;
const answered = (status: number, retryAfterMs: number | null = null) =>
  ({ kind: "answered", status, retryAfterMs }) as const;

describe("decideDelivery", () => {
  it.each([200, 201, 202, 204, 299])("takes %s for delivered", (status) => {
    expect(decideDelivery(answered(status), 1, policy, least)).toEqual({ kind: "delivered" });
  });

  it.each([408, 425, 429, 500, 502, 503, 504])("tries again after %s", (status) => {
    expect(decideDelivery(answered(status), 1, policy, least)).toEqual({
      kind: "retry",
      inMs: 1_000,
      why: `answered ${status}`,
    });
  });

  it.each([0, 101, 301, 302, 307, 308, 400, 401, 403, 404, 410, 413, 422])("gives up after %s", (status) => {
    expect(decideDelivery(answered(status), 1, policy, least)).toEqual({ kind: "giveUp", why: `answered ${status}` });
  });

  it("tries again when there was no answer, as often as allowed", () => {
    const failed = { kind: "failed", why: "could not be reached: ECONNREFUSED" } as const;
    expect(decideDelivery(failed, 4, policy, least)).toMatchObject({ kind: "retry" });
    expect(decideDelivery(failed, 5, policy, least)).toEqual({ kind: "giveUp", why: failed.why });
    expect(decideDelivery(answered(500), 5, policy, least)).toMatchObject({ kind: "giveUp" });
  });

  it("waits as long as the receiver asks for, and no longer than the cap", () => {
    expect(decideDelivery(answered(429, 7_000), 1, policy, least)).toMatchObject({ inMs: 7_000 });
    expect(decideDelivery(answered(429, 10), 1, policy, least)).toMatchObject({ inMs: 1_000 });
    expect(decideDelivery(answered(503, 999_999_999_000), 1, policy, least)).toMatchObject({ inMs: 60_000 });
  });

  it("always waits between the base and the cap", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        fc.option(fc.nat(), { nil: null }),
        (attempt, chance, retryAfterMs) => {
          const decision = decideDelivery(answered(503, retryAfterMs), attempt, policy, () => chance);
          expect(decision.kind === "retry" && decision.inMs >= 1_000 && decision.inMs <= 60_000).toBe(true);
        },
      ),
    );
  });
});
