import { describe, expect, it } from "vitest";
import { consumerReport, groupReport, monitorReport } from "../../test/report-samples.ts";
import type { ConsumerStatus, GroupHealth, GroupReport, MonitorReport } from "../report.ts";
import { type AlertChange, type AlertingPolicy, type AlertTracks, decideAlerts, decideBlindness } from "./alerting.ts";

const policy: AlertingPolicy = { fire: { passes: 3, ms: 0 }, resolve: { passes: 2, ms: 0 }, perConsumer: true };
const PASS_MS = 5_000;

const group = (health: GroupHealth, changes: Partial<GroupReport> = {}): GroupReport =>
  groupReport({ health, reason: `because ${health}`, consumers: [], ...changes });

/** What is said after each of the reports, one pass apart unless a report says when it was. */
function follow(reports: readonly Partial<MonitorReport>[], by: AlertingPolicy = policy): AlertChange[][] {
  let tracks: AlertTracks = new Map();
  return reports.map((report, at) => {
    const decided = decideAlerts(tracks, monitorReport({ atMs: at * PASS_MS, ...report }), by);
    ({ tracks } = decided);
    return [...decided.changes];
  });
}

const followGroup = (healths: readonly GroupHealth[], by?: AlertingPolicy): string[] =>
  follow(
    healths.map((health) => ({ groups: [group(health)] })),
    by,
  ).flatMap((changes, pass) => changes.map(({ kind, from, to }) => `${pass}: ${kind} ${from} -> ${to}`));

describe("decideAlerts", () => {
  it("announces what is wrong for as many passes as asked for, once", () => {
    expect(followGroup(["OK", "STALLED", "STALLED", "STALLED", "STALLED", "STALLED"])).toEqual([
      "3: firing null -> STALLED",
    ]);
  });

  it("says what, whose, why and since when", () => {
    const [, , said] = follow(Array.from({ length: 3 }, () => ({ groups: [group("STOPPED")] })));
    expect(said).toEqual([
      {
        v: 1,
        kind: "firing",
        key: '["group","orders","billing"]',
        about: "group",
        stream: "orders",
        group: "billing",
        consumer: null,
        from: null,
        to: "STOPPED",
        reason: "because STOPPED",
        sinceMs: 0,
        atMs: 2 * PASS_MS,
      },
    ]);
  });

  it("keeps quiet when something is wrong now and then", () => {
    expect(followGroup(["STALLED", "STALLED", "OK", "STALLED", "STALLED", "OK", "STALLED"])).toEqual([]);
  });

  it("announces what is wrong in changing ways, with the last one", () => {
    expect(followGroup(["STALLED", "STOPPED", "FALLING BEHIND"])).toEqual(["2: firing null -> FALLING BEHIND"]);
  });

  it("announces another fault only when it has held, too", () => {
    const stalled = ["STALLED", "STALLED", "STALLED"] as const;
    expect(followGroup([...stalled, "STOPPED", "STOPPED", "STALLED", "STOPPED", "STOPPED", "STOPPED"])).toEqual([
      "2: firing null -> STALLED",
      "8: changed STALLED -> STOPPED",
    ]);
  });

  it("says that it is resolved when it has been well for as many passes as asked for", () => {
    const stalled = ["STALLED", "STALLED", "STALLED"] as const;
    expect(followGroup([...stalled, "OK", "STALLED", "OK", "OK", "OK", "OK"])).toEqual([
      "2: firing null -> STALLED",
      "6: resolved STALLED -> OK",
    ]);
  });

  it("takes what is not known neither for wrong nor for well", () => {
    expect(followGroup(Array.from({ length: 9 }, () => "UNKNOWN" as const))).toEqual([]);
    const stalled = ["STALLED", "UNKNOWN", "STALLED", "UNKNOWN", "STALLED"] as const;
    expect(followGroup([...stalled, "UNKNOWN", "UNKNOWN", "UNKNOWN", "OK", "UNKNOWN", "OK"])).toEqual([
      "4: firing null -> STALLED",
      "10: resolved STALLED -> OK",
    ]);
  });

  it("waits for a time as well when one is asked for", () => {
    const slow = { ...policy, fire: { passes: 1, ms: 12_000 }, resolve: { passes: 1, ms: 6_000 } };
    expect(followGroup(["STALLED", "STALLED", "STALLED", "STALLED", "OK", "OK", "OK"], slow)).toEqual([
      "3: firing null -> STALLED",
      "6: resolved STALLED -> OK",
    ]);
  });

  it("goes on when the server's clock goes back", () => {
    const slow = { ...policy, fire: { passes: 1, ms: 5_000 } };
    const passes = [100_000, 10_000, 15_000].map((atMs) => ({ atMs, groups: [group("STALLED")] }));
    expect(follow(passes, slow).map(({ length }) => length)).toEqual([0, 0, 1]);
  });

  it.each([
    ["OK", null],
    ["DRAINING", null],
    ["DEAD", "DEAD"],
    ["STALLED", "STALLED"],
    ["WARNING - idle for long time", "WARNING - idle for long time"],
    ["WARNING - too many pending items", "WARNING - too many pending items"],
  ] satisfies [ConsumerStatus, ConsumerStatus | null][])(
    "of a consumer that is %s announces %s",
    (status, announced) => {
      const consumers = [consumerReport({ consumer: "worker-7", status, reason: "so it is" })];
      const reports = Array.from({ length: 3 }, () => ({ groups: [group("OK", { consumers })] }));
      const said = follow(reports).flat();
      expect(said.map(({ to, consumer, key }) => ({ to, consumer, key }))).toEqual(
        announced === null
          ? []
          : [{ to: announced, consumer: "worker-7", key: '["consumer","orders","billing","worker-7"]' }],
      );
      expect(follow(reports, { ...policy, perConsumer: false }).flat()).toEqual([]);
    },
  );

  it("says that it is resolved when a consumer is gone, and when a group is", () => {
    const dead = { groups: [group("STALLED", { consumers: [consumerReport({ status: "DEAD" })] })] };
    const said = follow([dead, dead, dead, { groups: [] }, { groups: [] }, { groups: [] }]);
    expect(said[4]?.map(({ kind, about, to, reason }) => ({ kind, about, to, reason }))).toEqual([
      { kind: "resolved", about: "group", to: null, reason: "the group no longer exists" },
      { kind: "resolved", about: "consumer", to: null, reason: "the consumer no longer exists" },
    ]);
    expect(said[5]).toEqual([]);
  });

  it("announces lost messages, read or pending, and not that their number is unknown", () => {
    const losing = (unreadLost: number | null, pendingLost: boolean): Partial<MonitorReport> => ({
      groups: [group("OK", { retention: { neededFromId: "1-1", pins: true, unreadLost, pendingLost } })],
    });
    const thrice = (report: Partial<MonitorReport>): AlertChange[] => follow([report, report, report]).flat();
    expect(thrice(losing(0, false))).toEqual([]);
    expect(thrice(losing(null, false))).toEqual([]);
    expect(thrice(losing(3, true))).toMatchObject([
      {
        about: "messages",
        to: "MESSAGES LOST",
        reason:
          "messages were removed from the stream: 3 before the group had read them, some while they were pending in the group",
      },
    ]);
    expect(thrice(losing(null, true))).toMatchObject([{ to: "MESSAGES LOST" }]);
  });

  it("keeps the reports of several streams apart", () => {
    const at = (stream: string, health: GroupHealth) => ({ stream, groups: [group(health)] });
    const both = [at("orders", "STALLED"), at("mails", "OK")];
    expect(follow([...both, ...both, ...both, ...both]).flat()).toMatchObject([{ kind: "firing", stream: "orders" }]);
  });

  it("remembers nothing of what is well", () => {
    const { tracks } = decideAlerts(new Map(), monitorReport(), policy);
    expect(tracks.size).toBe(0);
  });
});

describe("decideBlindness", () => {
  const failed = (pass: number) => ({ stream: "orders", reason: "no connection", atMs: pass * PASS_MS });

  it("announces that the stream is not seen when passes fail again and again, and when it is seen again", () => {
    let tracks: AlertTracks = new Map();
    const said: string[] = [];
    const fails = [false, true, true, false, true, true, true, true, false, true, false, false, false];
    for (const [pass, fail] of fails.entries()) {
      const decided = fail
        ? decideBlindness(tracks, failed(pass), policy)
        : decideAlerts(tracks, monitorReport({ atMs: pass * PASS_MS }), policy);
      ({ tracks } = decided);
      for (const { kind, key, from, to, reason } of decided.changes)
        said.push(`${pass}: ${kind} ${key} ${from} ${to} ${reason}`);
    }
    expect(said).toEqual([
      '6: firing ["monitor","orders"] null BLIND no connection',
      '11: resolved ["monitor","orders"] BLIND OK it can read the stream',
    ]);
  });

  it("says nothing about groups and consumers: neither that they are well, nor that they are gone", () => {
    let tracks: AlertTracks = new Map();
    for (let pass = 0; pass < 3; pass++) {
      ({ tracks } = decideAlerts(tracks, monitorReport({ groups: [group("STALLED")] }), policy));
    }
    for (let pass = 3; pass < 10; pass++) {
      const decided = decideBlindness(tracks, failed(pass), policy);
      ({ tracks } = decided);
      expect(decided.changes.filter(({ about }) => about !== "monitor")).toEqual([]);
    }
    const again = decideAlerts(tracks, monitorReport({ groups: [group("STALLED")] }), policy);
    expect(again.changes).toEqual([]);
  });
});
