// Every refusal of a server has the error class and code of the documentation: run as it
// is, and bundled and minified. The only argument is the URL of a server that it may fill, block and shut out users from.
import assert from "node:assert/strict";
import { Consumer, Producer } from "@redis-batch/consumer";
import { createRedisStreamClient } from "@redis-batch/core/internal/connection";
import { Redis } from "ioredis";

const url = process.argv[2] ?? "";
const admin = new Redis(url, { protocol: 2 });

const TIMEOUT = { timeoutMs: 30_000 };
/** @param {string | URL} redis */
const clientOf = (redis) => createRedisStreamClient({ redis: String(redis), blockMs: 60_000 });
/** @param {string} name @param {string[]} rules */
const userOf = async (name, ...rules) => {
  await admin.call("ACL", "SETUSER", name, "on", ">secret", "~*", ...rules);
  return Object.assign(new URL(url), { username: name, password: "secret" });
};
/** @param {string | URL} redis @param {(client: ReturnType<typeof clientOf>) => Promise<unknown>} action */
const withClient = async (redis, action) => {
  const client = clientOf(redis);
  try {
    await client.connect(["commands"], TIMEOUT);
    return await action(client);
  } finally {
    await client.close();
  }
};
const add = { stream: "orders", fields: ["name", "value"] };
/** @param {ReturnType<typeof clientOf>} client @param {typeof add} entry */
const addTo = async (client, entry) => {
  const [outcome] = await client.xaddMany([entry]);
  if (outcome instanceof Error) throw outcome;
};
const group = { stream: "orders", group: "billing" };
const own = { ...group, consumer: "first", ids: ["1-0"] };

const CASES = {
  async BUSYGROUP() {
    await withClient(url, (client) => client.xgroupCreate({ ...group, position: "start" }));
    return withClient(url, (client) => client.xgroupCreate({ ...group, position: "start" }));
  },
  NOSCRIPT: () =>
    withClient(url, async (client) => {
      const lease = { leaseKey: "lease", stateKey: null, holder: "first", leaseMs: 60_000, heardOf: 0 };
      await client.holdLease(lease);
      await admin.script("FLUSH");
      return (await client.holdLease(lease)).isHeld;
    }),
  async WRONGTYPE() {
    await admin.set("text", "no stream");
    return withClient(url, (client) => addTo(client, { ...add, stream: "text" }));
  },
  "WRONGTYPE in a script": () => withClient(url, (client) => client.ackOwned({ ...own, stream: "text" })),
  NOPERM: async () => withClient(await userOf("reader", "+@all", "-xadd"), (client) => addTo(client, add)),
  "NOPERM in a script": async () =>
    withClient(await userOf("looker", "+@all", "-xpending"), (client) => client.ackOwned(own)),
  async WRONGPASS() {
    const place = await userOf("worker", "+@all");
    place.password = "guessed";
    return withClient(place, (client) => client.xlen({ stream: "orders" }));
  },
  OOM: () => whileFull(() => withClient(url, (client) => addTo(client, add))),
  "OOM in a script": () =>
    whileFull(() =>
      withClient(url, (client) => client.addOnce({ ...add, idempotencyKey: "A-17", rememberMs: 60_000 })),
    ),
  "bad database": () => withClient(new URL("/999", url), (client) => client.xlen({ stream: "orders" })),
  async "group destroyed"() {
    const client = clientOf(url);
    await client.connect(["commands", "reader"], TIMEOUT);
    await client.xgroupCreate({ ...group, group: "doomed", position: "end" });
    const read = client.xreadgroup({ ...group, group: "doomed", consumer: "first", count: 1, blockMs: 60_000 });
    read.catch(() => {});
    while (!String(await admin.call("CLIENT", "LIST")).includes("cmd=xreadgroup")) await nextTurn();
    await client.xgroupDestroy({ ...group, group: "doomed" });
    return read.finally(() => void client.close());
  },
  LOADING: () =>
    withClient(url, async (client) => {
      // A server that loads a few keys slowly, and serves other clients in between.
      for (let n = 0; n < 20; n++) await admin.set(`large:${n}`, `${n}`.repeat(4_096));
      await admin.config("SET", "rdbcompression", "no");
      await admin.config("SET", "key-load-delay", "50000");
      await admin.config("SET", "loading-process-events-interval-bytes", "1024");
      try {
        // Again where it was quicker than this program, which may have to wait for its turn.
        for (;;) {
          const end = { isOver: false };
          const reloaded = admin.call("DEBUG", "RELOAD").finally(() => {
            end.isOver = true;
          });
          while (!end.isOver) await addTo(client, add);
          await reloaded;
        }
      } finally {
        await admin.config("SET", "key-load-delay", "0");
      }
    }),
};

const EXPECTED = {
  BUSYGROUP: false,
  NOSCRIPT: true,
  WRONGTYPE: { name: "WrongTypeError", code: "WRONG_TYPE" },
  "WRONGTYPE in a script": { name: "WrongTypeError", code: "WRONG_TYPE" },
  NOPERM: { name: "PermissionError", code: "PERMISSION", command: "xadd" },
  "NOPERM in a script": { name: "PermissionError", code: "PERMISSION", command: "ackOwned" },
  WRONGPASS: { name: "PermissionError", code: "PERMISSION", command: "connect" },
  OOM: { name: "ServerStateError", code: "SERVER_STATE", state: "OOM" },
  "OOM in a script": { name: "ServerStateError", code: "SERVER_STATE", state: "OOM" },
  "bad database": { name: "ConfigError", code: "CONFIG" },
  "group destroyed": { name: "NoGroupError", code: "NO_GROUP" },
  LOADING: { name: "ServerStateError", code: "SERVER_STATE", state: "LOADING" },
};

// Not at the top level: as CommonJS, which some bundlers make of it, a program cannot wait there.
void main();

async function main() {
  /** @type {Record<string, unknown>} */
  const got = {};
  for (const [name, provoke] of Object.entries(CASES)) {
    got[name] = await provoke().catch((/** @type {unknown} */ error) => {
      const { code, command, state, outcome } = /** @type {Record<string, unknown>} */ (error);
      const facts = { name: error instanceof Error ? error.name : "", code, command, state, outcome };
      return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined));
    });
  }
  assert.deepEqual(got, EXPECTED);
  await startTwice();
  admin.disconnect();
}

/** A worker that is started again finds its group there: the refusal that every second start meets. */
async function startTwice() {
  const place = { redis: url, stream: "restarted" };
  for (const attempt of ["first", "second"]) {
    const producer = new Producer(place);
    await producer.add({ attempt });
    await producer.close();
    const consumer = new Consumer({ ...place, group: "billing", batchSize: 1 });
    const batch = await consumer.fetch();
    assert.deepEqual(
      batch.messages.map(({ fields }) => ({ ...fields })),
      [{ attempt }],
    );
    batch.ack();
    await consumer.close();
  }
}

/** @param {() => Promise<unknown>} action */
async function whileFull(action) {
  await admin.config("SET", "maxmemory", "1");
  try {
    return await action();
  } finally {
    await admin.config("SET", "maxmemory", "0");
  }
}

function nextTurn() {
  return new Promise((resolve) => setImmediate(resolve));
}
