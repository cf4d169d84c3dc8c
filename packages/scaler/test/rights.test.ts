/** The rules of the README's "Rights" are enough, each for its purpose, and no more than that. */
import { PermissionError, Producer, partitionStreams } from "@redis-batch/core";
import { aclRules } from "@redis-batch/core/internal/connection";
import { EventRecorder, uniqueName, useServer } from "@redis-batch/test-support";
import { expect, it } from "vitest";
import { type Executor, Scaler, type ScalerEvent } from "../src/index.ts";

const rules = (options: Parameters<typeof aclRules>[2]): string =>
  aclRules("scaler", "orders", options).join(" ").replaceAll("orders", "stream-*");
const redis = useServer({
  users: [
    { name: "default", password: "all", rules: "~* &* +@all" },
    { name: "looking", password: "looking", rules: rules({ least: true }) },
    { name: "counting", password: "counting", rules: rules({ least: true, extras: ["payloads"] }) },
    { name: "running", password: "running", rules: rules({}) },
  ],
  speakAs: "default",
});

const executor: Executor = {
  name: "numbers",
  status: async () => ({ desired: 1, ready: 1, startingMs: [], startUpsMs: [] }),
  scale: async () => {},
};

async function openAs(user: string) {
  const { server } = redis;
  const stream = uniqueName("stream");
  await server.command("XGROUP", "CREATE", stream, "group", 0, "MKSTREAM");
  await server.command("XADD", stream, "*", "n", 1);
  const events = new EventRecorder<ScalerEvent>();
  const scaler = new Scaler({
    ...{ redis: { ...server.options, username: user, password: user }, stream, group: "group" },
    ...{ strategy: "ratio", observer: events.observe },
  });
  return { scaler, events, server, stream };
}

it("the rights to look are enough to decide and for a dry run", async () => {
  const { scaler, events } = await openAs("looking");
  expect(await scaler.decide()).toMatchObject({ direction: "OUT" });
  const run = scaler.run({ intervalMs: 100, executor, dryRun: true });
  await events.waitFor("decided");
  await scaler.close();
  await run;
});

it("the rights to look are not enough to act, and the error says so", async () => {
  const { scaler } = await openAs("looking");
  await expect(scaler.run({ executor })).rejects.toThrow(PermissionError);
  await scaler.close();
});

it("with those to take turns, to remember and to log it acts", async () => {
  const { scaler, events, server, stream } = await openAs("running");
  const run = scaler.run({ intervalMs: 100, executor });
  await events.waitFor("scaled");
  await scaler.close();
  await run;
  expect(await server.command("XLEN", `rb:{${stream}}:audit:${stream}:group`)).toBeGreaterThanOrEqual(2);
});

it("so it does where the stream has partitions, and is refused nothing", async () => {
  const { server } = redis;
  const stream = uniqueName("parted");
  await using producer = new Producer({ redis: server.options, stream, partitions: 2 });
  await producer.add({ n: 1 }, { key: "a" });
  for (const part of partitionStreams(stream, 2)) {
    await server.command("XGROUP", "CREATE", part, "group", "0", "MKSTREAM");
  }
  const granted = aclRules("scaler", stream, { partitions: true, extras: ["payloads"] });
  await server.command("ACL", "SETUSER", "parted", "reset", "resetchannels", "on", ">parted", ...granted);
  await server.command("ACL", "LOG", "RESET");
  const events = new EventRecorder<ScalerEvent>();
  await using scaler = new Scaler({
    ...{ redis: { ...server.options, username: "parted", password: "parted" }, stream, group: "group" },
    ...{ strategy: "ratio", observer: events.observe },
  });
  const run = scaler.run({ intervalMs: 100, executor });
  await events.waitFor("scaled");
  await scaler.close();
  await run;
  expect(await server.command("ACL", "LOG")).toEqual([]);
});

it.each([
  ["looking", { waiting: null }, { direction: "NO_SCALE", binding: "unknown" }],
  ["counting", { waiting: 1 }, { direction: "OUT" }],
])("counts what the server does not know only with the right to read entries: %s", async (user, seen, decided) => {
  const { scaler, server, stream } = await openAs(user);
  for (let n = 2; n <= 3; n++) await server.command("XADD", stream, "*", "n", n);
  await server.command("XREADGROUP", "GROUP", "group", "c", "COUNT", 1, "STREAMS", stream, ">");
  const entries = (await server.command("XRANGE", stream, "-", "+")) as [string, unknown][];
  await server.command("XDEL", stream, entries[1]?.[0] ?? "");
  await server.command("ACL", "LOG", "RESET");
  expect(await scaler.collect()).toMatchObject(seen);
  expect(await scaler.decide()).toMatchObject(decided);
  await scaler.close();
  expect(await server.command("ACL", "LOG")).toEqual([]);
});

it("a deferred message counts as waiting when it is due", async () => {
  const { scaler, server, stream } = await openAs("looking");
  await server.command("XREADGROUP", "GROUP", "group", "rb:later", "COUNT", 1, "STREAMS", stream, ">");
  await server.command("ZADD", `rb:{${stream}}:due:${stream}:group`, 1, "1-1");
  expect(await scaler.collect()).toMatchObject({ released: 1, pending: 0, ready: 0 });
  await scaler.close();
});
