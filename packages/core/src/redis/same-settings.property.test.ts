/** Whatever says where the server is, its connections get the same settings. */
import * as fc from "fast-check";
import { Cluster, Redis, type RedisOptions } from "ioredis";
import { Cluster as ClusterV5, Redis as RedisV5 } from "ioredis-v5";
import { expect, test } from "vitest";
import { type OpenOptions, openClient, type ServerSource } from "./open-client.ts";

/** What somebody may have set, and where it stands besides: our guarantees override most of it. */
const settings: fc.Arbitrary<RedisOptions> = fc.record(
  {
    connectionName: fc.constantFrom("mine", "redis-batch"),
    username: fc.constantFrom("someone"),
    password: fc.constantFrom("secret"),
    keepAlive: fc.integer({ min: 1, max: 60_000 }),
    noDelay: fc.boolean(),
    connectTimeout: fc.integer({ min: 1, max: 60_000 }),
    sentinelCommandTimeout: fc.integer({ min: 1, max: 60_000 }),
    enableReadyCheck: fc.boolean(),
    enableOfflineQueue: fc.boolean(),
    enableAutoPipelining: fc.boolean(),
    autoResubscribe: fc.boolean(),
    maxRetriesPerRequest: fc.constantFrom(null, 3, 20),
    maxLoadingRetryTime: fc.integer({ min: 1, max: 60_000 }),
    retryStrategy: fc.constantFrom(
      null,
      () => null,
      () => 5,
    ),
    reconnectOnError: fc.constantFrom(
      () => true,
      () => 2 as const,
    ),
    socketTimeout: fc.integer({ min: 1, max: 60_000 }),
    stringNumbers: fc.boolean(),
    readOnly: fc.boolean(),
    lazyConnect: fc.constant(false),
    failoverDetector: fc.constant(true),
    updateSentinels: fc.boolean(),
    tls: fc.constantFrom({ servername: "redis.example" }),
  },
  { requiredKeys: [] },
);
const roles: fc.Arbitrary<OpenOptions> = fc.record({
  role: fc.constantFrom("commands" as const, "reader" as const),
  blockMs: fc.integer({ min: 1, max: 60_000 }),
});
const addresses: fc.Arbitrary<RedisOptions> = fc.constantFrom<RedisOptions>(
  { port: 1 },
  { sentinels: [{ host: "127.0.0.1", port: 1 }], name: "primary" },
);

/** Plain data, without what a major version of ioredis has and the other has not. */
function comparable(options: object, known: readonly string[]): object {
  return Object.fromEntries(
    known.map((name) => {
      const value: unknown = Reflect.get(options, name);
      return [name, typeof value === "function" ? "a function" : value];
    }),
  );
}

/** The options of a connection to a server; in a Cluster, to one of its nodes. */
function opened(source: ServerSource, role: OpenOptions): object {
  const client = openClient(source, role);
  client.disconnect();
  return client.isCluster ? ((client as Cluster).options.redisOptions ?? {}) : client.options;
}

const lazy = { lazyConnect: true };
/** Settings of ours that nobody can change. */
const OURS = ["protocol", "maxRetriesPerRequest", "socketTimeout", "retryStrategy", "connectionName", "keepAlive"];

test("a lent client's duplicates have what options get", () => {
  fc.assert(
    fc.property(settings, addresses, roles, (own, address, role) => {
      const given = { ...address, ...own };
      const expected = opened(given, role);
      const known = Object.keys(new RedisV5(lazy).options).filter((name) => name in expected);
      const lent: object = { ...given, ...lazy };
      for (const client of [new Redis(lent), new RedisV5(lent)]) {
        expect(comparable(opened(client, role), known)).toEqual(comparable(expected, known));
      }
    }),
  );
});

test("and so has each node of a lent Cluster", () => {
  fc.assert(
    fc.property(settings, roles, (own, role) => {
      const { sentinelCommandTimeout: _, failoverDetector: __, updateSentinels: ___, ...perNode } = own;
      const expected = opened({ port: 1, ...perNode }, role);
      const lent = { ...lazy, redisOptions: perNode as object };
      const clusters = [new Cluster([{ port: 1 }], lent), new ClusterV5([{ port: 1 }], lent)];
      // A node's client is made by the Cluster, which has its own queue and its own way to connect again.
      const others = new Set(["lazyConnect", "enableOfflineQueue", "enableAutoPipelining", "retryStrategy", "port"]);
      for (const cluster of clusters) {
        const actual = opened(cluster, role);
        const known = Object.keys(actual).filter((name) => !others.has(name));
        expect(known).toContain("socketTimeout");
        expect(comparable(actual, known)).toEqual(comparable(expected, known));
      }
    }),
  );
});

const words = fc.string({ unit: fc.constantFrom("a", "b", "%", ":", "@", "/", " ", "é"), minLength: 1, maxLength: 5 });

test("what a URL says is as if options or a Cluster said it", () => {
  fc.assert(
    fc.property(words, words, fc.boolean(), roles, (username, password, isSafe, role) => {
      const who = `${encodeURIComponent(username)}:${encodeURIComponent(password)}@`;
      const scheme = isSafe ? "rediss" : "redis";
      const own = { username, password, ...(isSafe ? { tls: {} } : {}) };
      const bySentinel = { sentinels: [{ host: "a", port: 1 }], name: "primary", ...own };
      const sources: readonly (readonly [string, ServerSource])[] = [
        [`${scheme}://${who}a:1`, { host: "a", port: 1, ...own }],
        [`${scheme}+cluster://${who}a:1`, new Cluster([{ host: "a", port: 1 }], { ...lazy, redisOptions: own })],
      ];
      for (const [url, source] of sources) {
        const [expected, actual] = [opened(source, role), opened(url, role)];
        const known = Object.keys(expected).filter((name) => name !== "tls");
        expect(comparable(actual, known)).toEqual(comparable(expected, known));
        expect(Boolean(Reflect.get(actual, "tls"))).toBe(isSafe);
      }
      // Whose user and password the URL has, and TLS to whom, is said in server-address.ts; the settings are the same.
      const settingsOf = (options: object) =>
        comparable(options, ["failoverDetector", "sentinelCommandTimeout", ...OURS]);
      expect(settingsOf(opened(`${scheme}+sentinel://${who}a:1/primary`, role))).toEqual(
        settingsOf(opened(bySentinel, role)),
      );
    }),
  );
});

test.each([
  ["ioredis 6", (options: object) => new Cluster([{ port: 1 }], options)],
  ["ioredis 5", (options: object) => new ClusterV5([{ port: 1 }], options)],
] as const)("a lent Cluster of %s keeps no setting by which commands are repeated or kept", (_, make) => {
  const own = {
    ...{ retryDelayOnFailover: 500, retryDelayOnMoved: 500, maxRedirections: 1, scaleReads: "slave" },
    ...{ clusterNodeRetryStrategy: () => 5, enableOfflineQueue: false, enableAutoPipelining: true },
    ...{ clusterRetryStrategy: () => null, ...lazy },
  };
  const client = openClient(make(own), { role: "commands", blockMs: 0 }) as Cluster;
  client.disconnect();
  expect(client.options).toMatchObject({
    ...{ retryDelayOnFailover: 0, retryDelayOnMoved: 0, maxRedirections: 16, scaleReads: "master" },
    ...{ clusterNodeRetryStrategy: null, enableOfflineQueue: true, enableAutoPipelining: false },
  });
  expect(client.options.clusterRetryStrategy?.(1)).toBeTypeOf("number");
});

test.each([
  ["ioredis 6", () => new Redis({ port: 1, ...lazy })],
  ["ioredis 5", () => new RedisV5({ port: 1, ...lazy })],
  ["a Cluster of ioredis 6", () => new Cluster([{ port: 1 }], lazy)],
  ["a Cluster of ioredis 5", () => new ClusterV5([{ port: 1 }], lazy)],
] as const)("a client of %s that its lender has ended still says where the server is", async (_, make) => {
  const lent = make();
  const before = opened(lent, { role: "commands", blockMs: 0 });
  lent.disconnect();
  await lent.quit().catch(() => {});
  const after = opened(lent, { role: "commands", blockMs: 0 });
  expect(comparable(after, Object.keys(before))).toEqual(comparable(before, Object.keys(before)));
});
