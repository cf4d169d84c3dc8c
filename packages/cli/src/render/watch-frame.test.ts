import type { GroupReport, MonitorReport } from "@redis-batch/monitor";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { coloured, plain } from "./paint.ts";
import { renderEmptyFrame, renderFrame } from "./watch-frame.ts";
import { displayWidth } from "./width.ts";

const text = fc.string({ unit: fc.constantFrom("a", "日", "\u001b", "\n", " ", "é"), maxLength: 90 });
const count = fc.option(fc.nat(1e9));
const group = fc.record({
  group: text,
  reason: text,
  waiting: count,
  consumers: fc.array(fc.record({ consumer: text, reason: text, pending: fc.nat() }), { maxLength: 30 }),
});

function groupOf(made: {
  group: string;
  reason: string;
  waiting: number | null;
  consumers: readonly { consumer: string; reason: string; pending: number }[];
}): GroupReport {
  return {
    ...{
      group: made.group,
      health: "FALLING BEHIND",
      reason: made.reason,
      pause: null,
      rateLimit: null,
      pending: 3,
      deadLetters: 0,
    },
    backlog: { messages: made.waiting, source: "at least" },
    ...{
      oldestWaitingAgeMs: 5,
      oldestPendingAgeMs: null,
      inPerSecond: 1.25,
      outPerSecond: null,
      lastDeliveredId: "1-1",
      oldestOfferableMs: 5,
      released: { messages: 0, oldestMs: null },
      later: { messages: 0, oldestAgeMs: null, overdueMs: null },
    },
    retention: { neededFromId: "1-1", pins: true, unreadLost: null, pendingLost: false },
    consumers: made.consumers.map(({ consumer, reason, pending }) => ({
      ...{
        consumer,
        reason,
        pending,
        status: "OK",
        foreign: false,
        idleMs: 1,
        inactiveMs: null,
        oldestPendingAgeMs: null,
      },
      ...{
        oldestInFlightMs: null,
        intake: null,
        inFlight: 1,
        busyShare: 0.5,
        capacity: 10,
        leaseMs: 1,
        host: null,
        pid: 7,
      },
      ...{ version: null, isAlone: null, parked: null, blockedKeys: null },
    })),
  };
}

test("fills the screen exactly, whatever there is to show, and shows nothing as an order to it", () => {
  const size = fc.record({ width: fc.integer({ min: 40, max: 200 }), height: fc.integer({ min: 4, max: 50 }) });
  const paints = fc.constantFrom(plain, coloured);
  const ages = fc.option(fc.nat(1e9));
  const values = fc.array(count, { maxLength: 300 });
  fc.assert(
    fc.property(group, size, text, values, paints, ages, (made, { width, height }, message, waits, paint, ageMs) => {
      const shown = groupOf(made);
      const report: MonitorReport = {
        ...{ v: 1, atMs: 0, stream: made.group, length: 1, groups: [shown] },
        retention: { safeId: null, pinnedBy: null, warnings: [made.reason.repeat(5)] },
      };
      const samples = waits.map((waiting) => ({ waiting, inPerSecond: waiting, outPerSecond: null }));
      const frame = { report, group: shown, samples, isPaused: false, message, at: "now", ageMs };
      const lines = renderFrame(frame, { width, height }, paint).map((line) => line.replaceAll(/\p{Cc}\[\d+m/gu, ""));
      expect(lines).toHaveLength(height);
      expect(lines.filter((line) => displayWidth(line) > width)).toEqual([]);
      expect(lines.join("")).not.toMatch(/\p{Cc}/u);
      expect(lines[0]).toContain("FALLING BEHIND");
      expect(lines.at(-1)).toContain("q quit");
      const empty = renderEmptyFrame(
        { stream: made.group, group: message, isPaused: true, message },
        { width, height },
        paint,
      );
      expect(empty.map((line) => displayWidth(line.replaceAll(/\p{Cc}\[\d+m/gu, "")) <= width)).toEqual(
        Array(height).fill(true),
      );
    }),
  );
});

test("says what of the pending messages nobody holds, and nothing of it where all of them are held", () => {
  const line = (letGo: Pick<GroupReport, "released" | "later">): string | undefined => {
    const shown = { ...groupOf({ group: "g", reason: "r", waiting: 1, consumers: [] }), ...letGo };
    const report: MonitorReport = {
      ...{ v: 1, atMs: 0, stream: "s", length: 1, groups: [shown] },
      retention: { safeId: null, pinnedBy: null, warnings: [] },
    };
    const frame = { report, group: shown, samples: [], isPaused: false, message: "", at: "now", ageMs: null };
    return renderFrame(frame, { width: 150, height: 20 }, plain).find((one) => one.startsWith("pending"));
  };
  const none = { messages: 0, oldestMs: null, oldestAgeMs: null, overdueMs: null };
  expect(line({ released: none, later: none })).toMatch(/^pending 3 · oldest waiting/);
  expect(line({ released: { ...none, messages: 2, oldestMs: 1_500 }, later: { ...none, messages: 1 } })).toMatch(
    /^pending 3 · released 2 \(1\.5s\) · deferred 1 · oldest waiting/,
  );
});
