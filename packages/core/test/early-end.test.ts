import { setImmediate as nextTurn } from "node:timers/promises";
import { checkLeaks, FaultProxy, uniqueName, useServer } from "@redis-batch/test-support";
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
