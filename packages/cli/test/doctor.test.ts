import { eventually, RedisServer, uniqueName, useServer } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import { expectEnd, expectSameContent, useCli } from "./cli.ts";

const redis = useServer({
  persistence: "everysec",
  config: ["maxmemory 100mb", "maxmemory-policy noeviction"],
  users: [
    { name: "default", password: "all", rules: "~* &* +@all" },
    {
      name: "adder",
      password: "adder",
      rules: "~doctor-* ~rb:* +xadd +get +ping +info +client|setname +command|info +time +acl|whoami +acl|dryrun",
    },
    { name: "nobody", password: "nobody", rules: "+ping" },
  ],
  speakAs: "default",
});
const cli = useCli(redis);

interface Finding {
  readonly area: string;
  readonly severity: string;
  readonly finding: string;
  readonly fix: string | null;
}

async function findings(args: readonly string[], user = "default"): Promise<readonly Finding[]> {
  const env = { REDIS_URL: user === "default" ? redis.server.url : redis.server.as(user).url };
  return (await cli.json(["doctor", ...args], { env }))["findings"] as Finding[];
}

describe("doctor", () => {
  it("finds a healthy server healthy, in table and JSON alike", async () => {
    const [table, json] = await Promise.all([cli.run(["doctor"]), cli.json(["doctor"])]);
    expectEnd(table, 0);
    expectSameContent(table.stdout, json);
    const found = json["findings"] as Finding[];
    expect(found.filter(({ severity }) => severity !== "ok")).toMatchObject([{ area: "replicas", severity: "info" }]);
    expect(found.map(({ area }) => area)).toEqual([
      ...["version", "deleting", "idle time", "role", "clock", "replicas", "persistence", "eviction", "memory"],
    ]);
  });

  it("says what a failover would lose, and what the server does about it", async () => {
    await using replica = await RedisServer.start({ replicaOf: { address: redis.server.as("default").address } });
    const follows = async () => (await replica.info("replication"))["master_link_status"] === "up";
    await eventually("the replica follows", follows, { timeoutMs: 20_000 });
    const replicas = async (user?: string) => (await findings([], user)).filter(({ area }) => area === "replicas");
    expect(await replicas()).toMatchObject([
      { severity: "info", finding: expect.stringMatching(/^1 replica follows, but nothing waits for them/) as string },
    ]);
    // As a managed server: INFO, but no CONFIG.
    expect(await replicas("adder")).toMatchObject([
      { severity: "unknown", finding: expect.stringContaining("CONFIG is refused") as string },
    ]);
    await redis.server.command("CONFIG", "SET", "min-replicas-to-write", "1");
    try {
      expect(await replicas()).toMatchObject([{ severity: "warning" }]);
    } finally {
      await redis.server.command("CONFIG", "SET", "min-replicas-to-write", "0");
    }
  });

  it("says what is wrong with it, each with its fix, and ends with 1", async () => {
    await redis.server.command("CONFIG", "SET", "maxmemory-policy", "allkeys-lru");
    await redis.server.command("CONFIG", "SET", "appendonly", "no");
    try {
      expectEnd(await cli.run(["doctor"]), 1, "deletes whole streams", "noeviction", "appendonly yes");
      expect.hasAssertions();
    } finally {
      await redis.server.command("CONFIG", "SET", "maxmemory-policy", "noeviction");
      await redis.server.command("CONFIG", "SET", "appendonly", "yes");
    }
  });

  it("says what a user may be, and what is missing for the rest", async () => {
    const stream = uniqueName("doctor");
    const rights = async (user?: string) =>
      (await findings([stream, "g"], user)).filter(({ area }) => area === "rights").map(({ finding }) => finding);
    expect(await rights()).toEqual(
      [
        "producer",
        "consumer",
        "monitor",
        "scaler",
        "manager of dead letters",
        "manager of groups",
        "viewer of the dashboard",
      ].map((role) => `"default" can be a ${role}`),
    );
    const [producer, consumer] = await rights("adder");
    expect(producer).toBe(`"adder" can be a producer, but not for: idempotency keys; waiting for replicas`);
    expect(consumer).toMatch(/^"adder" cannot be a consumer: it lacks .*\(~\S+ \+xreadgroup .*\+evalsha/);
    expect(consumer).not.toContain("+time");
    for (const { finding, severity } of (await findings([stream], "nobody")).filter(({ area }) => area === "rights")) {
      expect([severity, finding]).toEqual(["unknown", expect.stringContaining("it is unknown whether")]);
    }
  });

  it("tells how the groups of a stream fare", async () => {
    const stream = uniqueName("health");
    expect((await findings([stream])).at(-1)).toMatchObject({
      severity: "warning",
      finding: "there is no such stream",
    });
    await redis.server.command("XADD", stream, "*", "a", "1");
    await redis.server.command("XGROUP", "CREATE", stream, "g", "0");
    await redis.server.command("XADD", `rb:{${stream}}:dead:${stream}:g`, "*", "a", "1");
    const found = (await findings([stream])).filter(({ area }) => area === "group g");
    expect(found).toMatchObject([
      { severity: "problem", finding: expect.stringContaining("no active consumers") as string },
      { severity: "warning", finding: "1 dead letter", fix: `redis-batch dead-letters list ${stream} g` },
    ]);
  });
});
