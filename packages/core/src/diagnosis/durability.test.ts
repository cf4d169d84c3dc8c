import { describe, expect, test } from "vitest";
import type { ServerReport } from "../stream-client.ts";
import { diagnoseDurability } from "./durability.ts";

const INFO = {
  ...{ role: "master", aof_enabled: "1", maxmemory: "1000", used_memory: "100", maxmemory_policy: "noeviction" },
  ...{
    connected_slaves: "2",
    slave0: "ip=a,port=1,state=online,offset=9,lag=0",
    slave1: "ip=b,port=1,state=online,lag=1",
  },
};
const SETTINGS = {
  ...{ appendonly: "yes", appendfsync: "always", save: "", "maxmemory-policy": "noeviction" },
  ...{ "min-replicas-to-write": "1", "min-replicas-max-lag": "10" },
};

/** A server that loses as little as it can, with changes. */
const report = (
  info: Readonly<Record<string, string>> = {},
  settings: Readonly<Record<string, string>> | null = {},
): ServerReport => ({
  info: new Map(Object.entries({ ...INFO, ...info }).filter(([, value]) => value !== "")),
  settings: settings === null ? null : new Map(Object.entries({ ...SETTINGS, ...settings })),
});
const told = (...reports: readonly ServerReport[]) =>
  diagnoseDurability(reports)
    .filter(({ severity }) => severity !== "ok")
    .map(({ area, severity, finding }) => `${area}: ${severity}: ${finding}`);

const NOTHING_WAITS = { "min-replicas-to-write": "0" };
const NO_REPLICAS = { connected_slaves: "0", slave0: "", slave1: "" };

test("a server that loses as little as it can is well", () => {
  expect(told(report())).toEqual([]);
});

describe("what a failure would lose is said", () => {
  test.each<[Readonly<Record<string, string>>, Readonly<Record<string, string>> | null, RegExp]>([
    [
      NO_REPLICAS,
      NOTHING_WAITS,
      /^replicas: info: there are no replicas: .*if its disk is lost, every message is lost/,
    ],
    [{}, NOTHING_WAITS, /^replicas: info: 2 replicas follow, but nothing waits .*a failover loses confirmed messages/],
    [{ connected_slaves: "1" }, {}, /^replicas: warning: 1 replica follows, and all of them are needed/],
    [NO_REPLICAS, {}, /^replicas: problem: .*0 replicas follow: the server refuses all writes/],
    [
      { min_slaves_good_slaves: "0" },
      {},
      /^replicas: problem: .*0 of 2 replicas keep up: the server refuses all writes/,
    ],
    [{ min_slaves_good_slaves: "1" }, {}, /^replicas: warning: 1 of 2 replicas keep up, and all of them are needed/],
    [
      {},
      { "min-replicas-max-lag": "0" },
      /^replicas: info: 2 replicas follow, but nothing waits .*min-replicas-max-lag is 0/,
    ],
    [{ slave1: "state=online,lag=40" }, {}, /^replicas: warning: 1 of 2 replicas are behind/],
    [{ slave1: "state=wait_bgsave,lag=0" }, {}, /^replicas: warning: 1 of 2 replicas are behind/],
    [{}, { appendfsync: "no" }, /^persistence: warning: .*a power cut loses confirmed messages of about 30 s/],
    [{ aof_enabled: "0" }, {}, /^persistence: warning: .*a restart loses every message/],
    [
      { aof_enabled: "0", rdb_changes_since_last_save: "17" },
      { save: "3600 1 60 10000" },
      /^persistence: warning: .*\(save 3600 1 60 10000\): a crash loses everything .* since the last one \(17 changes so far\)/,
    ],
    [{ aof_last_write_status: "err" }, {}, /^persistence: problem: the last write/],
    [{ rdb_last_bgsave_status: "err" }, {}, /^persistence: problem: the last snapshot/],
    [{ maxmemory_policy: "allkeys-lru" }, {}, /^eviction: problem: .*deletes whole streams .*unread messages included/],
    [{ maxmemory_policy: "volatile-lru" }, {}, /^eviction: warning: .*no streams, but .*idempotency keys/],
    [{ used_memory: "950" }, {}, /^memory: warning: 95 %/],
    [{ used_memory: "1001" }, {}, /^memory: problem/],
  ])("%o %o", (info, settings, words) => {
    expect(told(report(info, settings))).toEqual([expect.stringMatching(words) as string]);
  });

  test("appendfsync everysec is well, and what a power cut loses is said all the same", () => {
    const found = diagnoseDurability([report({}, { appendfsync: "everysec" })]);
    expect(found.find(({ area }) => area === "persistence")?.finding).toContain("a power cut the confirmed messages");
  });

  test("without a limit nothing is evicted yet", () => {
    expect(told(report({ maxmemory: "0", maxmemory_policy: "volatile-ttl" }))).toEqual([
      expect.stringMatching(/^memory: info/) as string,
    ]);
    expect(told(report({ maxmemory: "0", maxmemory_policy: "allkeys-lfu" }))).toEqual([
      expect.stringMatching(/^eviction: warning: .*once a limit is set/) as string,
      expect.stringMatching(/^memory: info/) as string,
    ]);
  });
});

test("what CONFIG would tell, and is refused, is unknown, and never taken for fine", () => {
  expect(told(report({}, null))).toEqual([
    expect.stringMatching(/^replicas: unknown: 2 replicas follow; .*CONFIG is refused/) as string,
    expect.stringMatching(/^persistence: unknown: .*CONFIG is refused/) as string,
  ]);
  expect(told(report({ aof_enabled: "0" }, null))[1]).toMatch(/^persistence: warning: .*whether there are snapshots/);
  const silent = new Map(report().info);
  silent.delete("maxmemory_policy");
  expect(told({ ...report(), info: silent })).toEqual([expect.stringMatching(/^eviction: unknown/) as string]);
});

test("every warning and every problem comes with its fix", () => {
  const reports = [
    report({ ...NO_REPLICAS, aof_enabled: "0", maxmemory_policy: "allkeys-lru", used_memory: "999" }),
    report({ slave0: "state=online,lag=99", maxmemory_policy: "volatile-lru" }, { appendfsync: "no" }),
    report({}, null),
  ];
  const bare = diagnoseDurability(reports).filter(({ severity, fix }) => severity !== "ok" && fix === null);
  expect(bare).toEqual([]);
});

test("what several masters have in common is said once, and of the others how many they are", () => {
  const found = diagnoseDurability([report(), report(), report({ aof_enabled: "0" })]);
  expect(found.filter(({ area }) => area === "replicas")).toHaveLength(1);
  expect(found.filter(({ area }) => area === "persistence").map(({ finding }) => finding.slice(0, 17))).toEqual([
    "2 of 3 masters: t",
    "1 of 3 masters: t",
  ]);
});

test("there are no findings for a replica, or for a server that answers nothing", () => {
  expect(diagnoseDurability([report({ role: "slave" }), { info: null, settings: null }])).toEqual([]);
});
