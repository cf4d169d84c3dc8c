import { setImmediate as nextTurn } from "node:timers/promises";
import {
  CommandProxy,
  checkLeaks,
  FaultProxy,
  type RewriteCommand,
  uniqueName,
  useServer,
} from "@redis-batch/test-support";
import { expect, test } from "vitest";
import { connected, useClients } from "./use-clients.ts";

const redis = useServer({ own: true });
checkLeaks(redis);
const makeClient = useClients();

test("a signal that aborts while the read is on its way ends it once it has arrived", async () => {
  await using proxy = await FaultProxy.start(redis.server);
  const { client } = await connected(makeClient({ redis: proxy.url, blockMs: 20_000 }));
  const own = { stream: uniqueName("s"), group: "g" };
  await client.xgroupCreate({ ...own, position: "start" });
  // The first read with a signal asks for the connection's id, which is known from then on.
  await client.xreadgroup({ ...own, consumer: "c", count: 1, blockMs: 1 }, new AbortController().signal);
  // On a slow line the long read arrives well after the short command that is to end it.
  proxy.set({ bytesPerSecond: 200_000 });
  const controller = new AbortController();
  const consumer = "c".repeat(40_000);
  const read = client.xreadgroup({ ...own, consumer, count: 1, blockMs: 20_000 }, controller.signal);
  await nextTurn();
  controller.abort();
  expect(await read).toEqual([]);
  proxy.heal();
  const ended = await redis.server.info("commandstats");
  expect(Number(/calls=(\d+)/.exec(ended["cmdstat_client|unblock"] ?? "")?.[1])).toBeGreaterThan(1);
});

/** As a server does that restarts the wait whenever it serves another client: it never ends by itself. */
const endless: RewriteCommand = ([name, ...args]) => {
  const block = name === "xreadgroup" ? args.findIndex((word) => String(word).toUpperCase() === "BLOCK") : -1;
  return [name, ...args.map((word, index) => (block >= 0 && index === block + 1 ? "0" : word))];
};

/** Reads with a block of 100 ms; resolves when it has ended. */
async function readThrough(rewrite: RewriteCommand): Promise<number> {
  await using proxy = await CommandProxy.start(redis.server, rewrite);
  const { client } = await connected(makeClient({ redis: proxy.url, blockMs: 100, silenceMs: 60_000 }));
  const own = { stream: uniqueName("s"), group: "g" };
  await client.xgroupCreate({ ...own, position: "start" });
  const { signal } = new AbortController();
  expect(await client.xreadgroup({ ...own, consumer: "c", count: 1, blockMs: 100 }, signal)).toEqual([]);
  return client.readerEpoch(own.stream);
}

test("a wait that the server does not end is ended, over the same connection", async () => {
  expect(await readThrough(endless)).toBe(1);
});

test("where it cannot be ended, a read does not wait at a server whose version is known for it", async () => {
  const told = "redis_version:7.2.4\r\nrole:master\r\n";
  const refuse: RewriteCommand = (command) => {
    if (command[0] === "client") return ["no-such-command"];
    if (command[0] === "info") return ["eval", "return ARGV[1]", "0", told];
    return endless(command);
  };
  expect(await readThrough(refuse)).toBe(1);
});
