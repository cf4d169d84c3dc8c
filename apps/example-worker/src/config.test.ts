import { ConfigError } from "@redis-batch/consumer";
import { describe, expect, it } from "vitest";
import { readConfig } from "./config.ts";

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    readConfig(env);
  } catch (error) {
    if (ConfigError.is(error)) return error.problems;
    throw error;
  }
  return [];
}

describe("readConfig", () => {
  const defaults = {
    redisUrl: "redis://127.0.0.1:6379",
    redisPasswordFile: undefined,
    streams: ["commits"],
    partitions: undefined,
    group: "example-worker",
    orderBy: undefined,
    orderScope: undefined,
    batchSize: 100,
    maxWaitMs: 5_000,
    leaseMs: 60_000,
    recoverEveryMs: 15_000,
    retry: { baseMs: 1_000, capMs: 300_000 },
    database: { kind: "sqlite", path: "commits.db" },
    probes: { host: "127.0.0.1", port: 8080 },
  };

  it("has a value for everything", () => {
    expect(readConfig({})).toEqual(defaults);
  });

  it("takes an empty variable for one that is not set", () => {
    expect(readConfig({ REDIS_URL: "", BATCH_SIZE: "", DATABASE_URL: "", PROBE_PORT: "" })).toEqual(defaults);
  });

  it("reads every variable", () => {
    const config = readConfig({
      REDIS_URL: "rediss://worker:secret@redis.example:6380/2",
      REDIS_PASSWORD_FILE: "/run/secrets/redis",
      STREAM: "orders, refunds,a\\x2cb",
      PARTITIONS: "",
      GROUP: "billing",
      ORDER_BY: "author",
      ORDER_SCOPE: "consumer",
      BATCH_SIZE: "500",
      MAX_WAIT_MS: "0",
      LEASE_MS: "500",
      RECOVER_EVERY_MS: "3600000",
      RETRY_BASE_MS: "20",
      RETRY_CAP_MS: "100",
      DATABASE_URL: "postgres://worker:secret@db.example/orders",
      PROBE_HOST: "0.0.0.0",
      PROBE_PORT: "0",
    });
    expect(config).toEqual({
      redisUrl: "rediss://worker:secret@redis.example:6380/2",
      redisPasswordFile: "/run/secrets/redis",
      streams: ["orders", "refunds", "a,b"],
      partitions: undefined,
      group: "billing",
      orderBy: "author",
      orderScope: "consumer",
      batchSize: 500,
      maxWaitMs: 0,
      leaseMs: 500,
      recoverEveryMs: 3_600_000,
      retry: { baseMs: 20, capMs: 100 },
      database: { kind: "postgres", url: "postgres://worker:secret@db.example/orders" },
      probes: { host: "0.0.0.0", port: 0 },
    });
  });

  it.each([
    ["sqlite:var/commits.db", { kind: "sqlite", path: "var/commits.db" }],
    ["sqlite:/var/lib/commits.db", { kind: "sqlite", path: "/var/lib/commits.db" }],
    ["postgresql://db.example/orders", { kind: "postgres", url: "postgresql://db.example/orders" }],
  ])("knows the database of %s", (url, database) => {
    expect(readConfig({ DATABASE_URL: url }).database).toEqual(database);
  });

  it.each([
    "unix:///run/redis.sock",
    "redis+sentinel://user:secret@a:26379,b:26379/mymaster",
    "rediss+cluster://user:secret@a:7000,[::1]:7001",
  ])("takes the URL %s", (REDIS_URL) => {
    expect(readConfig({ REDIS_URL }).redisUrl).toBe(REDIS_URL);
  });

  it("names every problem at once", () => {
    const problems = problemsOf({
      REDIS_URL: "localhost:6379",
      BATCH_SIZE: "0",
      MAX_WAIT_MS: "5s",
      LEASE_MS: "499",
      RECOVER_EVERY_MS: "99",
      DATABASE_URL: "mysql://localhost/orders",
      PROBE_PORT: "65536",
    });
    expect(problems).toHaveLength(7);
    const numbers = ["BATCH_SIZE", "MAX_WAIT_MS", "LEASE_MS", "RECOVER_EVERY_MS", "PROBE_PORT"];
    for (const name of ["REDIS_URL", "DATABASE_URL", ...numbers]) {
      expect(problems).toContainEqual(expect.stringContaining(name));
    }
  });

  it.each(["1e3", "-1", "1.5", " 5", "10001", "0x10"])("takes no batch size of %j", (value) => {
    expect(problemsOf({ BATCH_SIZE: value })).toEqual([
      `BATCH_SIZE must be a whole number from 1 to 10000, got ${JSON.stringify(value)}`,
    ]);
  });

  it.each([
    ["orders,", "STREAM must have a name on both sides of each comma"],
    [",", "STREAM must have a name on both sides of each comma"],
    ["orders,refunds,orders", "STREAM must have each name once"],
  ])("takes no streams of %j", (STREAM, problem) => {
    expect(problemsOf({ STREAM })).toEqual([problem]);
  });

  it("takes partitions of one stream", () => {
    expect(readConfig({ STREAM: "orders", PARTITIONS: "16" })).toMatchObject({ streams: ["orders"], partitions: 16 });
    expect(problemsOf({ STREAM: "orders,refunds", PARTITIONS: "16" })).toEqual(["PARTITIONS are those of one STREAM"]);
    expect(problemsOf({ PARTITIONS: "257" })).toHaveLength(1);
  });

  it("takes no scope of an order that is unknown, or without an order", () => {
    expect(problemsOf({ ORDER_BY: "author", ORDER_SCOPE: "all" })).toEqual([
      'ORDER_SCOPE must be group or consumer, got "all"',
    ]);
    expect(problemsOf({ ORDER_SCOPE: "group" })).toEqual(["ORDER_SCOPE is of no use without ORDER_BY"]);
  });

  it("takes no longest delay below the shortest, which may be longer than the default of the other", () => {
    expect(problemsOf({ RETRY_BASE_MS: "500", RETRY_CAP_MS: "499" })).toEqual([
      'RETRY_CAP_MS must be a whole number from 500 to 86400000, got "499"',
    ]);
    expect(readConfig({ RETRY_BASE_MS: "400000" }).retry).toEqual({ baseMs: 400_000, capMs: 400_000 });
  });

  it.each(["sqlite:", "sqlite::memory:", "commits.db", "file:commits.db", "sqlite:file::memory:"])(
    "takes no database of %j",
    (value) => {
      expect(problemsOf({ DATABASE_URL: value })).toHaveLength(1);
    },
  );

  it("never quotes a URL, which may hold a password", () => {
    const problems = problemsOf({ REDIS_URL: "http://me:hunter2@host", DATABASE_URL: "mysql://me:hunter2@host" });
    expect(problems).toHaveLength(2);
    expect(problems.join()).not.toContain("hunter2");
  });
});
