/** User, password and certificates are asked for at each connection, and what is rotated needs no restart. */
import { execFile } from "node:child_process";
import { inspect, promisify } from "node:util";
import {
  checkLeaks,
  deferred,
  eventually,
  fairNowMs,
  type RedisServer,
  startCluster,
  startSentinel,
  uniqueName,
  useServer,
  useServers,
} from "@redis-batch/test-support";
import { Cluster, Redis } from "ioredis";
import { Cluster as ClusterV5, Redis as RedisV5 } from "ioredis-v5";
import { describe, expect, test } from "vitest";
import { DeadLetters } from "../src/dead-letters/dead-letters.ts";
import { Producer } from "../src/producer/producer.ts";
import type { Credentials, CredentialsFunction } from "../src/redis/credentials.ts";
import type { RedisSource } from "../src/redis/open-client.ts";
import { nameOn } from "./conformance/server-setting.ts";
import { type RecordedClient, useClients } from "./use-clients.ts";

const RIGHTS = ["on", "~*", "&*", "+@all"] as const;
const makeClient = useClients();

const single = useServer({ own: true });
checkLeaks(single);
const cluster = useServers((source) => startCluster({ source, primaries: 2 }));
const sentinel = useServers((source) => startSentinel({ source }));

let number = 0;

/** A user on some servers, and what its owner knows of its password. */
class Account {
  readonly username = `app${++number}`;
  password = "hunter2-0";
  readonly #servers: readonly RedisServer[];

  constructor(servers: readonly RedisServer[]) {
    this.#servers = servers;
  }

  async #each(...args: readonly string[]): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.command(...args)));
  }

  /** Makes this the only password, on the servers alone, and ends all connections. */
  async rotate(password: string): Promise<void> {
    await this.#each("ACL", "SETUSER", this.username, "resetpass", `>${password}`, ...RIGHTS);
    await this.#each("CLIENT", "KILL", "USER", this.username);
  }

  /** How many kinds of refusals the servers have logged. */
  async refusals(): Promise<number> {
    const logs = await Promise.all(this.#servers.map((server) => server.command("ACL", "LOG")));
    return logs.flat().filter((entry) => JSON.stringify(entry).includes(`"${this.username}"`)).length;
  }
}

async function createAccount(servers: readonly RedisServer[]): Promise<Account> {
  const account = new Account(servers);
  await account.rotate(account.password);
  return account;
}

interface Way {
  readonly servers: () => readonly RedisServer[];
  /** The source, and how what it says follows the account. */
  readonly open: (account: Account) => {
    readonly redis: RedisSource;
    readonly credentials?: CredentialsFunction;
    readonly update?: () => void;
  };
}

const one = () => [single.server];
const nodes = () => cluster.servers.nodes;
const behind = () => [sentinel.servers.primary, ...sentinel.servers.replicas];
const ask = (account: Account): CredentialsFunction => {
  return async () => ({ username: account.username, password: account.password });
};
const login = ({ username, password }: Account) => ({ username, password });

/** A getter for each, read at each connection. */
const asGetters = (account: Account) => ({
  get username() {
    return account.username;
  },
  get password() {
    return account.password;
  },
});

function lend(account: Account, client: Redis | RedisV5) {
  return { redis: client, update: () => Object.assign(client.options, login(account)) };
}

function lendCluster(account: Account, client: Cluster | ClusterV5) {
  return { redis: client, update: () => Object.assign(client.options.redisOptions ?? {}, login(account)) };
}

const ways: readonly (readonly [string, Way])[] = [
  ["a URL, and a function", { servers: one, open: (a) => ({ redis: single.server.url, credentials: ask(a) }) }],
  [
    "options with getters",
    {
      servers: one,
      open: (a) => ({
        redis: Object.defineProperties({ ...single.server.options }, Object.getOwnPropertyDescriptors(asGetters(a))),
      }),
    },
  ],
  [
    "a lent client of ioredis 6, and a function",
    {
      servers: one,
      open: (a) => ({ redis: new Redis({ ...single.server.options, lazyConnect: true }), credentials: ask(a) }),
    },
  ],
  [
    "a lent client of ioredis 5, and a function",
    {
      servers: one,
      open: (a) => ({ redis: new RedisV5({ ...single.server.options, lazyConnect: true }), credentials: ask(a) }),
    },
  ],
  [
    "a lent client of ioredis 6 that its owner changes",
    { servers: one, open: (a) => lend(a, new Redis({ ...single.server.options, ...login(a), lazyConnect: true })) },
  ],
  [
    "a lent client of ioredis 5 that its owner changes",
    { servers: one, open: (a) => lend(a, new RedisV5({ ...single.server.options, ...login(a), lazyConnect: true })) },
  ],
  [
    "a Cluster of ioredis 6, and a function",
    {
      servers: nodes,
      open: (a) => ({ redis: new Cluster(cluster.servers.startupNodes, { lazyConnect: true }), credentials: ask(a) }),
    },
  ],
  [
    "a Cluster of ioredis 5, and a function",
    {
      servers: nodes,
      open: (a) => ({ redis: new ClusterV5(cluster.servers.startupNodes, { lazyConnect: true }), credentials: ask(a) }),
    },
  ],
  [
    "a Cluster of ioredis 6 that its owner changes",
    {
      servers: nodes,
      open: (a) =>
        lendCluster(a, new Cluster(cluster.servers.startupNodes, { lazyConnect: true, redisOptions: login(a) })),
    },
  ],
  [
    "a Cluster of ioredis 5 that its owner changes",
    {
      servers: nodes,
      open: (a) =>
        lendCluster(a, new ClusterV5(cluster.servers.startupNodes, { lazyConnect: true, redisOptions: login(a) })),
    },
  ],
  [
    "Sentinels, and a function",
    { servers: behind, open: (a) => ({ redis: { ...sentinel.servers.options }, credentials: ask(a) }) },
  ],
  [
    "a lent client of ioredis 5 by Sentinels, and a function",
    {
      servers: behind,
      open: (a) => ({ redis: new RedisV5({ ...sentinel.servers.options, lazyConnect: true }), credentials: ask(a) }),
    },
  ],
];

/** A key on each server. */
const keysOn = (servers: readonly RedisServer[]): Promise<string[]> => Promise.all(servers.map(nameOn));

/** Asks each server of the client for something, on both its connections. */
async function works({ client }: RecordedClient, keys: readonly string[]): Promise<boolean> {
  await client.connect(["commands", "reader"], { timeoutMs: 10_000 });
  await Promise.all(keys.map((stream) => client.xlen({ stream })));
  return true;
}

describe.each(ways)("over %s", (_, { servers, open }) => {
  const masters = () => (servers() === nodes() ? cluster.servers.primaries : servers().slice(0, 1));

  test("a password that was rotated is used by the next connection", async () => {
    const account = await createAccount(servers());
    const { update = () => {}, ...source } = open(account);
    const keys = await keysOn(masters());
    const made = makeClient(source);
    await works(made, keys);
    for (const password of ["hunter2-1", "hunter2-2"]) {
      account.password = password;
      update();
      await account.rotate(password);
      await eventually("it works", () => works(made, keys), { timeoutMs: 20_000 });
    }
    expect(await account.refusals()).toBe(0);
  });

  test("a password that is known later than the server wants it is waited for", async () => {
    const account = await createAccount(servers());
    const { update = () => {}, ...source } = open(account);
    const keys = await keysOn(masters());
    const made = makeClient(source);
    await works(made, keys);
    await account.rotate("hunter2-1");
    await eventually("it is refused", async () => (await account.refusals()) > 0);
    const waiting = made.client.connect(["commands", "reader"], { timeoutMs: 30_000 });
    const reasons = () => made.events.all("connectFailed").map(({ reason }) => reason);
    await eventually(
      "it is reported",
      () => Promise.resolve(reasons().some((reason) => reason.includes("WRONGPASS"))),
      {
        timeoutMs: 20_000,
      },
    );
    account.password = "hunter2-1";
    update();
    await waiting;
    await eventually("it works", () => works(made, keys), { timeoutMs: 20_000 });
    expect(reasons().join()).not.toContain("hunter2");
  });
});

// Asking a function takes a little longer: its answer may be right a moment later.
test.each(ways.filter(([name]) => /^(a URL|options|a Cluster.*changes|.*5, and a function)/.test(name)))(
  "a wrong password at the start is reported soon, as a wrong password, over %s",
  async (_, { servers, open }) => {
    const account = await createAccount(servers());
    account.password = "hunter2-wrong";
    const made = makeClient(open(account));
    const sinceMs = fairNowMs();
    const connecting = made.client.connect(["commands"], { timeoutMs: 60_000 });
    const error: unknown = await connecting.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "PERMISSION", refusal: "credentials" });
    expect(fairNowMs() - sinceMs).toBeLessThan(10_000);
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain("hunter2");
  },
);

describe("a function that takes its time", () => {
  test.each([
    ["a server", one, () => single.server.url],
    ["a Cluster of ioredis 6", nodes, () => new Cluster(cluster.servers.startupNodes, { lazyConnect: true })],
    ["a Cluster of ioredis 5", nodes, () => new ClusterV5(cluster.servers.startupNodes, { lazyConnect: true })],
  ] as const)("longer than the time to connect is of use when it answers, at %s", async (_, servers, source) => {
    const account = await createAccount(servers());
    const first = deferred<Credentials>();
    let calls = 0;
    const credentials = () => (++calls === 1 ? first.promise : ask(account)());
    const made = makeClient({ redis: source(), credentials });
    const connecting = made.client.connect(["commands", "reader"], { timeoutMs: 300 });
    await expect(connecting).rejects.toMatchObject({ code: "CONNECTION", outcome: "not-sent" });
    // All connections wait for one answer.
    expect(calls).toBe(1);
    first.resolve(login(account));
    const keys = await keysOn(servers());
    await eventually("it works", () => works(made, keys), { timeoutMs: 20_000 });
    expect(await account.refusals()).toBe(0);
  });

  test("does not hold up a close", async () => {
    const credentials = () => new Promise<Credentials>(() => {});
    const { client } = makeClient({ redis: single.server.url, credentials });
    const connecting = client.connect(["commands"], { timeoutMs: 60_000 }).catch((error: unknown) => error);
    await client.close();
    expect(await connecting).toMatchObject({ code: "CONNECTION", outcome: "not-sent" });
  });
});

describe("a function that fails", () => {
  test.each([
    ["a server", () => single.server.url, one],
    ["a Cluster", () => new Cluster(cluster.servers.startupNodes, { lazyConnect: true }), nodes],
    ["Sentinels", () => ({ ...sentinel.servers.options }), behind],
  ] as const)("is reported without its secret, and called again, at %s", async (_, source, servers) => {
    const account = await createAccount(servers());
    let isBroken = true;
    const credentials: CredentialsFunction = () => {
      if (isBroken) throw Object.assign(new Error("cannot parse hunter2-0"), { code: "ESECRET" });
      return login(account);
    };
    const made = makeClient({ redis: source(), credentials });
    const connecting = made.client.connect(["commands"], { timeoutMs: 30_000 });
    const { reason } = (await made.events.waitFor("connectFailed")) as { readonly reason: string };
    expect(reason).toContain("credentials: the function failed: Error ESECRET");
    const error: unknown = await made.client.connect(["reader"], { timeoutMs: 500 }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "CONNECTION", cause: { code: "CREDENTIALS" } });
    isBroken = false;
    await connecting;
    const told = inspect([made.events.events, error], { depth: 9, showHidden: true });
    expect(told).not.toContain("hunter2");
  });
});

describe("Sentinels with a password of their own", () => {
  const guarded = useServers((source) => startSentinel({ source }));
  const setPassword = (password: string) =>
    guarded.servers.sentinels[0]?.command("ACL", "SETUSER", "watch", "reset", `>${password}`, ...RIGHTS);

  test.each([
    ["ioredis 6", (options: object) => new Redis({ ...options, lazyConnect: true })],
    ["ioredis 5", (options: object) => new RedisV5({ ...options, lazyConnect: true })],
  ] as const)("are asked with what the function says for them, by %s", async (_, lendBy) => {
    const [server] = guarded.servers.sentinels;
    if (server === undefined) throw new Error("no Sentinel");
    await setPassword("watches-0");
    const account = await createAccount([guarded.servers.primary]);
    const own = { username: "watch", password: "watches-0" };
    const credentials = () => ({ ...login(account), sentinel: { ...own } });
    const made = makeClient({ redis: lendBy(guarded.servers.options), credentials });
    const keys = await keysOn([guarded.servers.primary]);
    await works(made, keys);
    const asWatch = async () => String(await server.command("CLIENT", "LIST")).includes("user=watch");
    await eventually("it listens as that user", asWatch);
    own.password = "watches-1";
    await setPassword("watches-1");
    await server.command("CLIENT", "KILL", "USER", "watch");
    await account.rotate(account.password);
    await eventually("it works", () => works(made, keys), { timeoutMs: 20_000 });
    expect(String(await server.command("ACL", "LOG"))).not.toContain("watch");
  });
});

describe("the secret", () => {
  test("is in nothing that a service or an error shows", async () => {
    const account = await createAccount(one());
    const shared = { redis: single.server.url, credentials: ask(account), stream: uniqueName("stream") };
    const producer = new Producer(shared);
    const letters = new DeadLetters({ ...shared, group: "g" });
    await producer.connect();
    await letters.count();
    const shown = [inspect([producer, letters], { depth: 20, showHidden: true }), JSON.stringify([producer, letters])];
    await Promise.all([producer.close(), letters.close()]);
    expect(shown.join()).not.toContain("hunter2");
  });

  test.each(["ioredis", "ioredis-v5"])("is not in the debug output of %s", async (name) => {
    const account = await createAccount(one());
    const program = `
      import { Redis } from "${name}";
      import { createRedisStreamClient } from "../src/redis/redis-stream-client.ts";
      const redis = new Redis(${single.server.port}, "127.0.0.1", { lazyConnect: true });
      const credentials = () => ({ username: "${account.username}", password: process.env.SECRET });
      const client = createRedisStreamClient({ redis, credentials, blockMs: 0 });
      await client.connect(["commands"], { timeoutMs: 10_000 });
      await client.close();`;
    const { stderr } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program], {
      cwd: import.meta.dirname,
      env: {
        ...process.env,
        DEBUG: "ioredis:*",
        SECRET: account.password,
        NODE_OPTIONS: "--conditions=@redis-batch/source",
      },
    });
    expect(stderr).toContain("auth");
    expect(stderr).toContain("hidden");
    expect(stderr).not.toMatch(/hunter2/);
  });
});
