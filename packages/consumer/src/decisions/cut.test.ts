import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CutPolicy, decideCut } from "./cut.ts";

const policy: CutPolicy = { batchSize: 10, maxBytes: 1_000, maxWaitMs: 500 };

describe("decideCut", () => {
  it("cuts a full batch at once", () => {
    const open = { entries: 10, bytes: 0, waitingSinceMs: 100 };
    expect(decideCut(open, policy, 100)).toEqual({ kind: "cut", reason: "entries" });
  });

  it("cuts when the payloads reach their limit", () => {
    const open = { entries: 3, bytes: 1_000, waitingSinceMs: 100 };
    expect(decideCut(open, policy, 100)).toEqual({ kind: "cut", reason: "bytes" });
  });

  it("cuts maxWaitMs after the wait began, and not before", () => {
    const open = { entries: 3, bytes: 0, waitingSinceMs: 100 };
    expect(decideCut(open, policy, 599)).toEqual({ kind: "wait", forMs: 1 });
    expect(decideCut(open, policy, 600)).toEqual({ kind: "cut", reason: "wait" });
  });

  it("waits without end for the first message where an empty batch is not wanted", () => {
    const open = { entries: 0, bytes: 0, waitingSinceMs: null };
    expect(decideCut(open, policy, 1e9)).toEqual({ kind: "wait", forMs: null });
  });

  it("cuts an empty batch when the caller's time is up", () => {
    const open = { entries: 0, bytes: 0, waitingSinceMs: 100 };
    expect(decideCut(open, policy, 600)).toEqual({ kind: "cut", reason: "wait" });
  });

  const anyMs = fc.integer({ min: 0, max: 1_000 });
  const anyOpen = fc.record({
    entries: fc.integer({ min: 0, max: 12 }),
    bytes: fc.integer({ min: 0, max: 1_200 }),
    waitingSinceMs: fc.option(anyMs),
  });

  it("cuts what is full or has waited long enough, and nothing else: an empty batch only when it is asked for", () => {
    fc.assert(
      fc.property(anyOpen, anyMs, (open, laterMs) => {
        const { entries, bytes, waitingSinceMs } = open;
        const isFull = entries >= policy.batchSize || (entries > 0 && bytes >= policy.maxBytes);
        const isOver = waitingSinceMs !== null && laterMs >= policy.maxWaitMs;
        const { kind } = decideCut(open, policy, (waitingSinceMs ?? 0) + laterMs);
        expect(kind).toBe(isFull || isOver ? "cut" : "wait");
      }),
    );
  });

  it("waits for exactly what is left of the time", () => {
    fc.assert(
      fc.property(anyOpen, anyMs, (open, laterMs) => {
        const nowMs = (open.waitingSinceMs ?? 0) + laterMs;
        const decision = decideCut(open, policy, nowMs);
        fc.pre(decision.kind === "wait" && decision.forMs !== null);
        const atMs = nowMs + (decision.forMs ?? 0);
        expect(decideCut(open, policy, atMs - 1)).toEqual({ kind: "wait", forMs: 1 });
        expect(decideCut(open, policy, atMs)).toEqual({ kind: "cut", reason: "wait" });
      }),
    );
  });

  it("cuts a steady trickle within the wait, never above the size, never empty", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 200 }), { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 0, max: 1_000 }),
        (gapsMs, batchSize, maxWaitMs) => {
          const rule = { batchSize, maxBytes: 1_000_000, maxWaitMs };
          let nowMs = 0;
          let arrivedAtMs: number[] = [];
          const look = (): void => {
            const decision = decideCut(
              { entries: arrivedAtMs.length, bytes: 0, waitingSinceMs: arrivedAtMs[0] ?? null },
              rule,
              nowMs,
            );
            if (decision.kind === "wait") return;
            expect(arrivedAtMs.length).toBeGreaterThan(0);
            expect(arrivedAtMs.length).toBeLessThanOrEqual(batchSize);
            expect(nowMs - (arrivedAtMs[0] as number)).toBeLessThanOrEqual(maxWaitMs);
            arrivedAtMs = [];
          };
          for (const gapMs of gapsMs) {
            // The collector looks at every arrival, and when the wait that was announced is over.
            const first = arrivedAtMs[0];
            if (first !== undefined && first + maxWaitMs <= nowMs + gapMs) {
              const next = nowMs + gapMs;
              nowMs = first + maxWaitMs;
              look();
              nowMs = next;
            } else {
              nowMs += gapMs;
            }
            arrivedAtMs.push(nowMs);
            look();
          }
        },
      ),
    );
  });
});
