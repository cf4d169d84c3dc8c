import * as fc from "fast-check";
import { expect, test } from "vitest";
import { followHeartbeats, type HeartbeatVerdict, heartbeatMsOf, NO_HEARTBEATS } from "./heartbeat-watch.ts";

const leaseMs = fc.integer({ min: 300, max: 120_000 });
/** How far a server's clock may be set: up to a year, in both directions. */
const jumpMs = fc.integer({ min: -31_536_000_000, max: 31_536_000_000 });
const part = fc.double({ min: 0, max: 1, noNaN: true });
/** Shares of a second that pass between one look and the next, and a jump of the server's clock now and then. */
const passing = fc.record({ share: part, jump: fc.option(jumpMs, { freq: 4 }), breaks: fc.boolean() });

interface Course {
  readonly lease: number;
  /** When the heartbeat is written, by the local clock. */
  readonly heartbeatsAtMs: readonly number[];
  readonly looks: readonly { readonly atMs: number; readonly jump: number | null; readonly breaks: boolean }[];
}

/** What each look says of one consumer. Its heartbeats and the looks are stamped by a clock that jumps. */
function follow({ lease, heartbeatsAtMs, looks }: Course): readonly (HeartbeatVerdict & { readonly atMs: number })[] {
  let watch = NO_HEARTBEATS;
  let offsetMs = 1_700_000_000_000;
  let steadySinceMs = 0;
  const left = [...heartbeatsAtMs];
  let stampMs = (left.shift() ?? 0) + offsetMs;
  const verdicts: (HeartbeatVerdict & { readonly atMs: number })[] = [];
  for (const { atMs, jump, breaks } of looks) {
    // A jump falls behind the heartbeats before it.
    while (left[0] !== undefined && left[0] <= atMs) stampMs = (left.shift() ?? 0) + offsetMs;
    offsetMs += jump ?? 0;
    if (breaks) steadySinceMs = atMs;
    const registry = new Map([["c", { atMs: stampMs, leaseMs: lease, incarnation: "i" }]]);
    const look = { serverNowMs: atMs + offsetMs, localNowMs: atMs, steadySinceMs };
    const next = followHeartbeats(watch, registry, look);
    watch = next.watch;
    const verdict = next.verdicts.get("c");
    if (verdict !== undefined) verdicts.push({ ...verdict, atMs });
  }
  return verdicts;
}

/** Moments that follow each other, each after a share of `longestMs`. */
function moments(shares: readonly number[], longestMs: number): number[] {
  let atMs = 0;
  return shares.map((share) => (atMs += share * longestMs));
}

test("a heartbeat that moves within three heartbeats is never dead, however the server's clock jumps", () => {
  fc.assert(
    fc.property(
      leaseMs,
      fc.array(part, { minLength: 50, maxLength: 200 }),
      fc.array(passing, { maxLength: 60 }),
      (lease, gaps, passings) => {
        const heartbeatsAtMs = [0, ...moments(gaps, 3 * heartbeatMsOf(lease) - 1)];
        const endMs = heartbeatsAtMs.at(-1) ?? 0;
        const looks = moments(
          passings.map(({ share }) => share),
          lease,
        ).flatMap((atMs, index) => {
          const { jump = null, breaks = false } = passings[index] ?? {};
          return atMs <= endMs ? [{ atMs, jump, breaks }] : [];
        });
        expect(follow({ lease, heartbeatsAtMs, looks }).filter(({ life }) => life === "dead")).toEqual([]);
      },
    ),
  );
});

test("one that moves within its lease is never dead while the server's clock only goes on, or back", () => {
  fc.assert(
    fc.property(
      leaseMs,
      fc.array(part, { minLength: 50, maxLength: 200 }),
      fc.array(passing, { maxLength: 60 }),
      (lease, gaps, passings) => {
        const heartbeatsAtMs = [0, ...moments(gaps, lease - 1)];
        const endMs = heartbeatsAtMs.at(-1) ?? 0;
        const looks = moments(
          passings.map(({ share }) => share),
          lease,
        ).flatMap((atMs, index) => {
          const { jump, breaks = false } = passings[index] ?? {};
          return atMs <= endMs ? [{ atMs, jump: jump == null ? null : -Math.abs(jump), breaks }] : [];
        });
        expect(follow({ lease, heartbeatsAtMs, looks }).filter(({ life }) => life === "dead")).toEqual([]);
      },
    ),
  );
});

test("one that stops is dead after a lease and three heartbeats of looks, wherever the server's clock is", () => {
  fc.assert(
    fc.property(
      leaseMs,
      jumpMs,
      fc.array(fc.record({ share: part, jump: fc.option(jumpMs, { freq: 4 }) }), { minLength: 20, maxLength: 100 }),
      (lease, startJump, passings) => {
        const heartbeatMs = heartbeatMsOf(lease);
        const times = [
          0,
          ...moments(
            passings.map(({ share }) => share),
            heartbeatMs,
          ),
        ];
        const looks = times.map((atMs, index) => ({
          ...{ atMs, breaks: false },
          jump: index === 0 ? startJump : (passings[index - 1]?.jump ?? null),
        }));
        const verdicts = follow({ lease, heartbeatsAtMs: [0], looks });
        const late = verdicts.filter(({ atMs, life }) => atMs >= lease + 3 * heartbeatMs && life !== "dead");
        expect(late).toEqual([]);
      },
    ),
  );
});

test("a consumer whose heartbeat was seen to stop only becomes worse, until the heartbeat moves", () => {
  const rank = { alive: 0, silent: 1, dead: 2 };
  fc.assert(
    fc.property(leaseMs, jumpMs, fc.array(part, { minLength: 2, maxLength: 60 }), (lease, startJump, shares) => {
      const looks = [0, ...moments(shares, lease / 3)].map((atMs, index) => ({
        ...{ atMs, breaks: false, jump: index === 0 ? startJump : null },
      }));
      const ranks = follow({ lease, heartbeatsAtMs: [0], looks }).map(({ life }) => rank[life]);
      expect(ranks).toEqual(ranks.toSorted((left, right) => left - right));
    }),
  );
});
