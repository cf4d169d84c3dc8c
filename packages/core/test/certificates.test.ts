/** A connection that fails for its certificates, or because only one side speaks TLS, names the cause and what helps. */
import {
  type Certificates,
  type RedisServer,
  startCluster,
  strangeCertificates,
  testCertificates,
  useServer,
  useServers,
} from "@redis-batch/test-support";
import { Cluster, Redis } from "ioredis";
import { Redis as RedisV5 } from "ioredis-v5";
import { describe, expect, onTestFinished, test } from "vitest";
import type { RedisSource } from "../src/redis/open-client.ts";
import { useClients } from "./use-clients.ts";

const makeClient = useClients();

/** Why no connection can be made, as it is reported first: as an event, or as an error that ends the wait. */
async function whyNot(redis: RedisSource): Promise<string> {
  const { client, events } = makeClient({ redis });
  const failing = client.connect(["commands"], { timeoutMs: 60_000 }).then(
    () => "connected",
    (error: unknown) => String(error),
  );
  const told = await Promise.race([events.waitFor("connectFailed").then(({ reason }) => reason), failing]);
  await client.close();
  await failing;
  return told;
}

/** The server shows this certificate from now on, until the test has ended. */
async function show(server: RedisServer, { certPath, keyPath }: Certificates): Promise<void> {
  const admin = new Redis({ ...server.options });
  const set = (shown: Pick<Certificates, "certPath" | "keyPath">) =>
    admin.config("SET", "tls-cert-file", shown.certPath, "tls-key-file", shown.keyPath);
  onTestFinished(async () => {
    await set(testCertificates());
    admin.disconnect();
  });
  await set({ certPath, keyPath });
}

describe("a server with TLS", () => {
  const redis = useServer({ tls: "server" });
  const at = () => ({ host: "127.0.0.1", port: redis.server.port });

  test.each([
    ["has expired", { fromDays: -2, untilDays: -1 }, /certificate has expired \(.*no longer valid: renew it\)/],
    ["is not valid yet", { fromDays: 1, untilDays: 2 }, /not yet valid \(.*is the clock of this machine right\?\)/],
    ["is for another host", { names: "DNS:redis.example" }, /for other names: connect by one of them.*redis\.example/],
  ])("whose certificate %s", async (_, limits, words) => {
    const strange = strangeCertificates(limits);
    await show(redis.server, strange);
    expect(await whyNot({ ...at(), tls: { ca: strange.ca } })).toMatch(words);
    // A node of a Cluster, and a Sentinel, have their reasons as well.
    const cluster = new Cluster([at()], { lazyConnect: true, redisOptions: { tls: { ca: strange.ca } } });
    expect(await whyNot(cluster)).toMatch(words);
    const bySentinel = { sentinels: [at()], name: "primary", sentinelTLS: { ca: strange.ca } };
    expect(await whyNot(bySentinel)).toMatch(words);
  });

  test("whose certificate was signed by somebody else", async () => {
    expect(await whyNot({ ...at(), tls: { ca: strangeCertificates().ca } })).toMatch(
      /not signed by an authority that is trusted here: set tls\.ca/,
    );
    expect(await whyNot(`rediss://127.0.0.1:${redis.server.port}`)).toMatch(/NODE_EXTRA_CA_CERTS/);
  });

  test.each<readonly [string, () => RedisSource, string]>([
    [
      "a plain URL",
      () => `redis://127.0.0.1:${redis.server.port}`,
      'begin the URL with "rediss", or set the option tls',
    ],
    [
      "a lent client of ioredis 5",
      () => new RedisV5({ ...at(), lazyConnect: true }),
      "speaks TLS, and this connection does not",
    ],
    ["a plain URL of a Cluster", () => `redis+cluster://127.0.0.1:${redis.server.port}`, 'begin the URL with "rediss"'],
    [
      "the URL of Sentinels without TLS",
      () => `redis+sentinel://127.0.0.1:${redis.server.port}/primary`,
      "add sentinelTls=true to the URL",
    ],
  ])("at %s", async (_, source, words) => {
    expect(await whyNot(source())).toMatch(/^ConfigError: /);
    expect(await whyNot(source())).toContain(words);
  });

  test("at the URL of a Cluster that it is not part of", async () => {
    const source = new Cluster([at()], { lazyConnect: true, redisOptions: { tls: { ca: testCertificates().ca } } });
    expect(await whyNot(source)).toContain(`connect with rediss://127.0.0.1:${redis.server.port}`);
  });
});

describe("a server that requires a client certificate", () => {
  const redis = useServer({ tls: "mutual" });
  const at = () => ({ host: "127.0.0.1", port: redis.server.port });
  const { ca, key } = testCertificates();

  test.each<readonly [string, () => object, RegExp]>([
    ["gets none", () => ({ ca }), /the server requires a client certificate: set tls\.cert and tls\.key/],
    ["gets none, in TLS 1.2", () => ({ ca, maxVersion: "TLSv1.2" }), /it may require a client certificate/],
    [
      "gets one of another authority",
      () => ({ ...strangeCertificates(), ca }),
      /does not trust the authority that signed the client certificate/,
    ],
    ["gets one with another key", () => ({ ca, cert: strangeCertificates().cert, key }), /do not belong together/],
  ])("%s", async (_, tls, words) => {
    expect(await whyNot({ ...at(), tls: tls() })).toMatch(words);
  });

  test("at a plain URL", async () => {
    expect(await whyNot(`redis://127.0.0.1:${redis.server.port}`)).toContain("speaks TLS");
  });
});

describe("a server without TLS", () => {
  const redis = useServer();
  const cluster = useServers((source) => startCluster({ source, primaries: 1 }));
  const port = () => redis.server.port;

  // It never answers the handshake. All at once, because each takes two seconds.
  test("is distinguished from one with TLS by what it answers without", async () => {
    const node = cluster.servers.nodes[0]?.port ?? 0;
    const told = await Promise.all([
      whyNot(`rediss://127.0.0.1:${port()}`),
      whyNot(new RedisV5({ port: port(), tls: {}, lazyConnect: true })),
      whyNot(`rediss+cluster://127.0.0.1:${node}`),
      whyNot(`rediss+sentinel://127.0.0.1:${port()}/primary`),
    ]);
    const words = 'does not speak TLS, and this connection does: begin the URL with "redis", not "rediss"';
    expect(told).toEqual([
      expect.stringContaining(`ConfigError: redis: 127.0.0.1:${port()} ${words}`),
      expect.stringContaining(`ConfigError: redis: localhost:${port()} ${words}, or leave out the option tls`),
      expect.stringContaining(`ConfigError: redis: 127.0.0.1:${node} ${words}`),
      expect.stringMatching(/^ConfigError: redis: the Sentinel .* does not speak TLS.*: add sentinelTls=false/),
    ]);
  });
});
