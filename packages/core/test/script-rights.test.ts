/** Lua does not roll back: a script that is refused halfway by the server's ACL must not leave half of what it does. */
import util from "node:util";
import { addEntry, type RedisServer, uniqueName, useServer } from "@redis-batch/test-support";
import { describe, expect, test } from "vitest";
import { PermissionError } from "../src/errors/errors.ts";
import { SCRIPTS } from "../src/lua/scripts.generated.ts";
import { groupKey } from "../src/names/keys.ts";
import { RELEASED } from "../src/names/reserved-consumers.ts";
import { Producer } from "../src/producer/producer.ts";
import type { StreamClient } from "../src/stream-client.ts";
import type { HeartbeatDetails } from "../src/wire/atomic/heartbeat.ts";
import { connected, useClients } from "./use-clients.ts";

const redis = useServer({ own: true });
const makeClient = useClients();
const group = "billing";
const DETAILS: HeartbeatDetails = { batchSize: 1 };

/** One way through a script that writes, from the beginning. */
interface Way {
  readonly script: keyof typeof SCRIPTS;
  readonly prepare: (admin: StreamClient, stream: string) => Promise<unknown>;
  readonly run: (client: StreamClient, stream: string, prepared: string) => Promise<unknown>;
}

/** Three messages that are pending for `c1`. */
async function deliver(admin: StreamClient, stream: string): Promise<string> {
  await admin.xgroupCreate({ stream, group, position: "start" });
  const ids: string[] = [];
  for (let n = 0; n < 3; n++) ids.push(await addEntry(admin, { stream, fields: ["n", n] }));
  await admin.xreadgroup({ stream, group, consumer: "c1", count: 3 });
  return ids[0] ?? "";
}

async function deadLetter(admin: StreamClient, stream: string): Promise<string> {
  const id = await deliver(admin, stream);
  const letter = await admin.moveToDeadLetters({ stream, group, consumer: "c1", id, reason: "rejected", error: "" });
  return letter.kind === "dead-lettered" ? letter.deadId : "";
}

async function defer(admin: StreamClient, stream: string): Promise<string> {
  const id = await deliver(admin, stream);
  await admin.scheduleLater({ stream, group, delays: [{ id, delayMs: 60_000 }] });
  return id;
}

/** A consumer of which nothing is pending, and whose heartbeat has stopped. */
async function silent(admin: StreamClient, stream: string): Promise<string> {
  await admin.xgroupCreate({ stream, group, position: "start" });
  await admin.xgroupCreateConsumer({ stream, group, consumer: "c1" });
  await admin.heartbeat({ stream, group, consumer: "c1", incarnation: "i", leaseMs: 60_000, details: DETAILS });
  const { atMs } = (await admin.registry({ stream, group })).get("c1") ?? { atMs: 0 };
  return String(atMs);
}

const keysOf = (stream: string) => ({
  leaseKey: groupKey("lease:scaler", stream, group),
  stateKey: groupKey("scaler", stream, group),
});
const OWNERSHIP = { member: "c2", leaseMs: 60_000, heardOf: 0 };

/** A partition of `c2`, in which three messages are pending for another consumer, and one waits. */
async function ownPartition(admin: StreamClient, stream: string): Promise<string> {
  await deliver(admin, stream);
  await addEntry(admin, { stream, fields: ["n", 4] });
  return String((await admin.holdPartition({ stream, group, ...OWNERSHIP, token: null })).token);
}

const TERM = { holder: "me", leaseMs: 60_000, heardOf: 0 };
const own = (stream: string, id: string) => ({ stream, group, consumer: "c1", ids: [id] });
const move = (stream: string) => ({ stream, group, from: "c1", foreignIdleMs: 0, toUnregistered: true });

const WAYS: Readonly<Record<string, Way>> = {
  "acknowledging what is owned": {
    ...{ script: "ackOwned", prepare: deliver },
    run: (client, stream, id) => client.ackOwned(own(stream, id)),
  },
  renewing: { script: "renewOwned", prepare: deliver, run: (client, stream, id) => client.renewOwned(own(stream, id)) },
  "delivering one's own again": {
    ...{ script: "redeliverOwn", prepare: deliver },
    run: (client, stream, id) =>
      client.redeliverOwn({ stream, group, consumer: "c1", messages: [{ id, deliveries: 2 }] }),
  },
  releasing: {
    ...{ script: "release", prepare: deliver },
    run: (client, stream, id) =>
      client.release({ stream, group, from: "c1", to: RELEASED, offered: [id], neverOffered: [] }),
  },
  taking: {
    script: "take",
    prepare: async (admin, stream) => {
      const id = await deliver(admin, stream);
      await admin.release({ stream, group, from: "c1", to: RELEASED, offered: [id], neverOffered: [] });
    },
    run: (client, stream) =>
      client.take({
        ...{ stream, group, consumer: "c2", after: null, scan: 10, count: 10, maxBytes: 1_000_000 },
        ...{ suspectFrom: Number.POSITIVE_INFINITY, suspects: 0, notWanted: [] },
      }),
  },
  "writing a delay down": {
    ...{ script: "scheduleLater", prepare: deliver },
    run: (client, stream, id) => client.scheduleLater({ stream, group, delays: [{ id, delayMs: 60_000 }] }),
  },
  "forgetting a delay": {
    ...{ script: "forgetDue", prepare: defer },
    run: async (client, stream, id) => {
      const atMs = (await client.dueTimes({ stream, group, ids: [id] })).get(id) ?? 0;
      return client.forgetDue({ stream, group, due: [{ id, atMs }] });
    },
  },
  "counting a hang": {
    ...{ script: "countHang", prepare: deliver },
    run: (client, stream, id) => client.countHang({ stream, group, id, rememberMs: 60_000 }),
  },
  deadLettering: {
    ...{ script: "moveToDeadLetters", prepare: deliver },
    run: (client, stream, id) =>
      client.moveToDeadLetters({ stream, group, consumer: "c1", id, reason: "rejected", error: "" }),
  },
  "giving a dead letter back": {
    ...{ script: "redrive", prepare: deadLetter },
    run: (client, stream, id) => client.redrive({ stream, group, id, ifTrimmed: "skip" }),
  },
  "adding a dead letter again": {
    script: "redrive",
    prepare: async (admin, stream) => {
      const id = await deadLetter(admin, stream);
      await addEntry(admin, {
        stream,
        fields: ["n", 4],
        trim: { strategy: "maxLen", threshold: 1, approximate: false },
      });
      return id;
    },
    run: (client, stream, id) => client.redrive({ stream, group, id, ifTrimmed: "add" }),
  },
  "handing over": {
    ...{ script: "handOver", prepare: deliver },
    run: (client, stream, id) => client.handOver({ ...move(stream), to: "c2", ids: [id] }),
  },
  "handing a page over": {
    ...{ script: "handOverPage", prepare: deliver },
    run: (client, stream) => client.handOverPage({ ...move(stream), to: "c2", after: null, count: 10 }),
  },
  "removing a dead consumer": {
    ...{ script: "removeIfEmpty", prepare: silent },
    run: (client, stream, seenAt) =>
      client.removeIfEmpty({ stream, group, consumer: "c1", onlyIfSilent: true, seenAtMs: Number(seenAt) }),
  },
  "deleting what every group has finished": {
    ...{ script: "deleteIfAllGroupsDone", prepare: deliver },
    run: (client, stream, id) => client.deleteIfAllGroupsDone(own(stream, id)),
  },
  "a heartbeat": {
    ...{ script: "heartbeat", prepare: deliver },
    run: (client, stream) =>
      client.heartbeat({ stream, group, consumer: "c1", incarnation: "i", leaseMs: 60_000, details: DETAILS }),
  },
  "pausing the group": {
    ...{ script: "pauseGroup", prepare: deliver },
    run: (client, stream) => client.pauseGroup({ stream, group, pause: { by: "anna", reason: null, forMs: null } }),
  },
  "reserving time": {
    ...{ script: "reserveRate", prepare: deliver },
    run: (client, stream) => client.reserveRate({ stream, group, messages: 1, own: { messages: 10, perMs: 1_000 } }),
  },
  "setting the rate": {
    ...{ script: "setRate", prepare: deliver },
    run: (client, stream) => client.setRate({ stream, group, limit: { messages: 10, perMs: 1_000 } }),
  },
  "removing the rate": {
    script: "setRate",
    prepare: (admin, stream) => admin.setRate({ stream, group, limit: { messages: 10, perMs: 1_000 } }),
    run: (client, stream) => client.setRate({ stream, group, limit: null }),
  },
  "resuming the group": {
    script: "pauseGroup",
    prepare: (admin, stream) => admin.pauseGroup({ stream, group, pause: { by: "anna", reason: null, forMs: null } }),
    run: (client, stream) => client.pauseGroup({ stream, group, pause: null }),
  },
  "adding under an idempotency key": {
    ...{ script: "addOnce", prepare: deliver },
    run: (client, stream) => client.addOnce({ stream, fields: ["n", 1], idempotencyKey: "k", rememberMs: 60_000 }),
  },
  "taking a lease": {
    ...{ script: "holdLease", prepare: deliver },
    run: (client, stream) => client.holdLease({ ...keysOf(stream), ...TERM, stateKey: null }),
  },
  "giving a lease up": {
    script: "holdLease",
    prepare: (admin, stream) => admin.holdLease({ ...keysOf(stream), ...TERM, stateKey: null }),
    run: (client, stream) => client.holdLease({ ...keysOf(stream), ...TERM, stateKey: null, leaseMs: 0 }),
  },
  "taking the lead": {
    ...{ script: "holdLease", prepare: deliver },
    run: (client, stream) => client.holdLease({ ...keysOf(stream), ...TERM }),
  },
  "giving the lead up": {
    script: "holdLease",
    prepare: (admin, stream) => admin.holdLease({ ...keysOf(stream), ...TERM }),
    run: (client, stream) => client.holdLease({ ...keysOf(stream), ...TERM, leaseMs: 0 }),
  },
  "taking a partition": {
    ...{ script: "holdPartition", prepare: deliver },
    run: (client, stream) => client.holdPartition({ stream, group, ...OWNERSHIP, token: null }),
  },
  "giving a partition up": {
    ...{ script: "holdPartition", prepare: ownPartition },
    run: (client, stream, token) =>
      client.holdPartition({ stream, group, ...OWNERSHIP, token: Number(token), leaseMs: 0 }),
  },
  "reading a partition": {
    ...{ script: "readOwned", prepare: ownPartition },
    run: (client, stream, token) => client.readOwned({ stream, group, member: "c2", token: Number(token), count: 10 }),
  },
  "taking over what is pending in a partition": {
    ...{ script: "adoptPending", prepare: ownPartition },
    run: (client, stream, token) =>
      client.adoptPending({ stream, group, member: "c2", token: Number(token), after: null, count: 10 }),
  },
  "an entry of the audit log": {
    script: "writeInTerm",
    prepare: (admin, stream) => admin.holdLease({ ...keysOf(stream), ...TERM }),
    run: (client, stream) =>
      client.writeInTerm({
        ...{ ...keysOf(stream), logKey: groupKey("audit", stream, group), holder: "me", term: 1 },
        ...{ state: "{}", entry: { a: "1" }, logLength: 100 },
      }),
  },
  trimming: {
    script: "trimToSafePoint",
    // Only whole nodes are dropped, which hold a hundred entries.
    prepare: async (admin, stream) => {
      await deliver(admin, stream);
      await admin.xaddMany(Array.from({ length: 300 }, () => ({ stream, fields: ["n", 1] })));
      const entries = await admin.xreadgroup({ stream, group, consumer: "c1", count: 300 });
      const delivered = await admin.xrange({ stream, from: "-", to: entries.at(-1)?.id ?? "+", count: 1_000 });
      await admin.xack({ stream, group, ids: delivered.map(({ id }) => id) });
    },
    run: (client, stream) => client.trimToSafePoint({ stream, dryRun: false }),
  },
};

/** The commands of a script, as ACL rules name them. */
function commandsOf(script: keyof typeof SCRIPTS): readonly string[] {
  const calls = SCRIPTS[script].matchAll(/redis\.p?call\('([A-Z]+)'(?:, '([A-Z]+)')?/g);
  const names = [...calls].map(([, name = "", part]) =>
    (name === "XGROUP" || name === "XINFO" ? `${name}|${part}` : name).toLowerCase(),
  );
  return [...new Set(names)];
}

/** All keys of a stream, word for word. */
async function dump(server: RedisServer, stream: string): Promise<Readonly<Record<string, unknown>>> {
  const keys = ((await server.command("KEYS", `*${stream}*`)) as string[]).toSorted();
  const found: Record<string, unknown> = {};
  for (const key of keys) found[key] = await server.command("DUMP", key);
  return found;
}

/** A user that may do all but run one command. */
async function clientWithout(command: string): Promise<StreamClient> {
  const user = `no-${command.replace("|", "-")}`;
  await redis.server.command("ACL", "SETUSER", user, "on", ">p", "+@all", "~*", `-${command}`);
  const source = { ...redis.server.options, username: user, password: "p" };
  return (await connected(makeClient({ redis: source }))).client;
}

test("every script that writes is among the ways below", () => {
  const reading = ["mayCall", "readDue"];
  const tried = new Set(Object.values(WAYS).map(({ script }) => script));
  expect(
    Object.keys(SCRIPTS)
      .filter((name) => !tried.has(name as never))
      .toSorted(),
  ).toEqual(reading);
});

describe.each(Object.entries(WAYS))("%s", (_what, { script, prepare, run }) => {
  test("does it all with every right", async () => {
    const { client } = await connected(makeClient({ redis: redis.server.options }));
    const stream = uniqueName("stream");
    const prepared = String(await prepare(client, stream));
    const before = await dump(redis.server, stream);
    await run(client, stream, prepared);
    const isUnchanged = util.isDeepStrictEqual(await dump(redis.server, stream), before);
    // A renewal within the millisecond of the delivery leaves it as it is.
    expect(isUnchanged && script !== "renewOwned").toBe(false);
  });

  test.each(commandsOf(script))("that is refused because %s is missing has changed nothing", async (command) => {
    const { client: admin } = await connected(makeClient({ redis: redis.server.options }));
    const client = await clientWithout(command);
    const stream = uniqueName("stream");
    const prepared = String(await prepare(admin, stream));
    const before = await dump(redis.server, stream);
    const end = await run(client, stream, prepared).then(
      () => "done",
      (error: unknown) => (PermissionError.is(error) ? "refused" : String(error)),
    );
    // Without a command that this way does not need it is done as ever.
    expect(["done", "refused"]).toContain(end);
    const isUnchanged = util.isDeepStrictEqual(await dump(redis.server, stream), before);
    expect(isUnchanged || end === "done").toBe(true);
  });
});

test("a keyed add by a user without SET is rejected, says so, and is not in the stream", async () => {
  const stream = uniqueName("stream");
  await redis.server.command("ACL", "SETUSER", "no-set", "on", ">p", "+@all", "~*", "-set");
  await using producer = new Producer({
    redis: { ...redis.server.options, username: "no-set", password: "p" },
    stream,
  });
  for (let attempt = 0; attempt < 3; attempt++) {
    const adding = producer.add({ n: 1 }, { idempotencyKey: "k" });
    await expect(adding).rejects.toMatchObject({
      code: "PERMISSION",
      message: expect.stringContaining("'set'") as string,
    });
  }
  expect(await redis.server.command("EXISTS", stream)).toBe(0);
});
