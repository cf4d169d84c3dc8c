import { Cluster, Redis, type RedisOptions } from "ioredis";
import { Cluster as ClusterV5, Redis as RedisV5 } from "ioredis-v5";
import { describe, expect, test } from "vitest";
import { copySource, openClient, type ServerSource } from "./open-client.ts";

const bySentinel = { sentinels: [{ host: "127.0.0.1", port: 1 }], name: "primary" };

function optionsOf(source: ServerSource): RedisOptions {
  const client = openClient(source, { role: "reader", blockMs: 2_000 });
  const options = client.isCluster ? (client as Cluster).options.redisOptions : (client as Redis).options;
  client.disconnect();
  return options ?? {};
}

const OURS = {
  ...{ connectionName: "redis-batch", keepAlive: 30_000, protocol: 2, maxRetriesPerRequest: 0, socketTimeout: 17_000 },
};

describe("the settings are the same", () => {
  test.each<readonly [string, () => ServerSource]>([
    ["a URL", () => "redis://127.0.0.1:1"],
    ["options", () => ({ port: 1 })],
    ["a lent client of ioredis 6", () => new Redis({ port: 1, lazyConnect: true })],
    ["a lent client of ioredis 5", () => new RedisV5({ port: 1, lazyConnect: true })],
    ["a lent Cluster of ioredis 6", () => new Cluster([{ port: 1 }], { lazyConnect: true })],
    ["a lent Cluster of ioredis 5", () => new ClusterV5([{ port: 1 }], { lazyConnect: true })],
  ])("for %s", (_, source) => {
    expect(optionsOf(source())).toMatchObject(OURS);
  });

  test.each<readonly [string, () => ServerSource]>([
    ["options", () => bySentinel],
    ["a lent client of ioredis 6", () => new Redis({ ...bySentinel, lazyConnect: true })],
    ["a lent client of ioredis 5", () => new RedisV5({ ...bySentinel, lazyConnect: true })],
  ])("by Sentinel for %s", (_, source) => {
    expect(optionsOf(source())).toMatchObject({
      ...OURS,
      ...{ failoverDetector: true, sentinelCommandTimeout: 5_000 },
    });
  });

  const chosen = { connectionName: "mine", keepAlive: 5_000, sentinelCommandTimeout: 100 };

  test.each<readonly [string, () => ServerSource]>([
    ["options", () => chosen],
    ["a lent client", () => new Redis({ ...chosen, lazyConnect: true })],
    ["a lent Cluster", () => new Cluster([{ port: 1 }], { lazyConnect: true, redisOptions: chosen })],
  ])("as far as the user has set nothing else, for %s", (_, source) => {
    expect(optionsOf(source())).toMatchObject(chosen);
  });

  test("without failover detection where options switch it off", () => {
    expect(optionsOf({ ...bySentinel, failoverDetector: false })).toMatchObject({
      failoverDetector: false,
    });
  });
});

describe("options are copied", () => {
  test("whatever is changed in them later, however deep", () => {
    const sentinels = [{ host: "a", port: 1 }];
    const own = { sentinels, name: "primary", tls: { servername: "a" } };
    const copy = copySource(own) as RedisOptions;
    own.name = "other";
    own.tls.servername = "other";
    Object.assign(sentinels[0] ?? {}, { host: "other" });
    sentinels.push({ host: "other", port: 2 });
    expect({ ...copy }).toEqual({ sentinels: [{ host: "a", port: 1 }], name: "primary", tls: { servername: "a" } });
  });

  test("but a getter is asked at each connection, so that a password can be replaced", () => {
    let password = "old";
    const copy = copySource({
      get password() {
        return password;
      },
    });
    expect(optionsOf(copy).password).toBe("old");
    password = "new";
    expect(optionsOf(copy).password).toBe("new");
  });

  test("and what is no plain object stays the same: a Buffer, a function, an existing client", () => {
    const [ca, checkServerIdentity] = [Buffer.from("PEM"), () => undefined];
    const copy = copySource({ tls: { ca, checkServerIdentity } }) as RedisOptions;
    expect(copy.tls?.ca).toBe(ca);
    expect(copy.tls?.checkServerIdentity).toBe(checkServerIdentity);
    const lent = new Redis({ port: 1, lazyConnect: true });
    expect(copySource(lent)).toBe(lent);
    expect(copySource("redis://localhost")).toBe("redis://localhost");
  });
});
