import * as fc from "fast-check";
import { expect, it } from "vitest";
import { anyReport } from "../../test/arbitrary-report.ts";
import { groupReport, monitorReport } from "../../test/report-samples.ts";
import type { GroupHealth } from "../report.ts";
import { type AlertChange, type AlertingPolicy, type AlertTracks, decideAlerts } from "./alerting.ts";

const health = fc.constantFrom<GroupHealth>("OK", "OK", "STALLED", "STOPPED", "FALLING BEHIND", "REWOUND", "UNKNOWN");
const passes = fc.integer({ min: 1, max: 5 });
const anyPolicy: fc.Arbitrary<AlertingPolicy> = fc.record({
  fire: fc.record({ passes, ms: fc.constantFrom(0, 1_500, 4_000) }),
  resolve: fc.record({ passes, ms: fc.constantFrom(0, 1_500, 4_000) }),
  perConsumer: fc.boolean(),
});

interface Said {
  readonly pass: number;
  readonly change: AlertChange;
}

function follow(healths: readonly GroupHealth[], policy: AlertingPolicy): Said[] {
  let tracks: AlertTracks = new Map();
  return healths.flatMap((now, pass) => {
    const groups = [groupReport({ health: now, consumers: [] })];
    const decided = decideAlerts(tracks, monitorReport({ atMs: pass * 1_000, groups }), policy);
    ({ tracks } = decided);
    return decided.changes.map((change) => ({ pass, change }));
  });
}

const isWrong = (now: GroupHealth | undefined): boolean => now !== "OK" && now !== "UNKNOWN";

it("says firing, any number of changes and resolved, in this order, each from what was said before", () => {
  fc.assert(
    fc.property(fc.array(health, { maxLength: 60 }), anyPolicy, (healths, policy) => {
      let announced: AlertChange["to"] = null;
      for (const { change } of follow(healths, policy)) {
        expect(change.from).toBe(announced);
        expect(change.kind).toBe(announced === null ? "firing" : change.to === "OK" ? "resolved" : "changed");
        expect(change.to).not.toBe(announced);
        announced = change.kind === "resolved" ? null : change.to;
      }
    }),
  );
});

it("says nothing that has not held for its passes and its time", () => {
  fc.assert(
    fc.property(fc.array(health, { maxLength: 60 }), anyPolicy, (healths, policy) => {
      for (const { pass, change } of follow(healths, policy)) {
        const hold = change.kind === "resolved" ? policy.resolve : policy.fire;
        const known = healths.map((now, at) => ({ now, at })).filter(({ now, at }) => at <= pass && now !== "UNKNOWN");
        const held = known.slice(-hold.passes);
        expect(held).toHaveLength(hold.passes);
        expect(held.every(({ now }) => (change.kind === "firing" ? isWrong(now) : now === change.to))).toBe(true);
        expect(change.atMs - change.sinceMs).toBeGreaterThanOrEqual(hold.ms);
      }
    }),
  );
});

it("says at most one thing of what does not change, and says it in time", () => {
  fc.assert(
    fc.property(health, anyPolicy, (now, policy) => {
      const said = follow(
        Array.from({ length: 20 }, () => now),
        policy,
      );
      const due = Math.max(policy.fire.passes - 1, Math.ceil(policy.fire.ms / 1_000));
      expect(said.map(({ pass }) => pass)).toEqual(isWrong(now) ? [due] : []);
    }),
  );
});

it("says nothing of what flaps faster than anything has to hold", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(health, fc.boolean()), { maxLength: 30 }), (pairs) => {
      const flapping = pairs.flatMap(([now, twice]) => (twice ? [now, now, "OK" as const] : [now, "OK" as const]));
      const policy = { fire: { passes: 3, ms: 0 }, resolve: { passes: 1, ms: 0 }, perConsumer: true };
      expect(follow(flapping, policy)).toEqual([]);
    }),
  );
});

it("takes any reports in any order, with keys that tell everything apart, and remembers no more than they hold", () => {
  fc.assert(
    fc.property(fc.array(anyReport, { maxLength: 6 }), anyPolicy, (reports, policy) => {
      let tracks: AlertTracks = new Map();
      for (const report of reports) {
        const before = tracks.size;
        const decided = decideAlerts(tracks, report, policy);
        ({ tracks } = decided);
        const keys = decided.changes.map(({ key }) => key);
        expect(new Set(keys).size).toBe(keys.length);
        const subjects = report.groups.reduce((sum, { consumers }) => sum + 2 + consumers.length, 0);
        expect(tracks.size).toBeLessThanOrEqual(before + subjects);
      }
      // Nothing is there any more: all is forgotten in the end.
      for (const { stream } of reports) {
        for (let pass = 0; pass < 10; pass++) {
          ({ tracks } = decideAlerts(tracks, monitorReport({ stream, atMs: 2 ** 53 - 1, groups: [] }), {
            ...policy,
            resolve: { passes: 5, ms: 0 },
          }));
        }
      }
      expect(tracks.size).toBe(0);
    }),
  );
});
