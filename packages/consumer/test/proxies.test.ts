/** Proxies that change commands on their way, as some of those before Redis do. */
import { CommandProxy, eventually, type RewriteCommand, useServer } from "@redis-batch/test-support";
import { expect, test } from "vitest";
import { LONGEST_FLOOR_MS } from "../src/decisions/pace.ts";
import { numbers, useBench } from "./harness.ts";

const redis = useServer({ own: true });
const bench = useBench(redis);

/** What the server has been asked for so far, and when that was by its own clock. */
async function readsSoFar(): Promise<{ readonly reads: number; readonly atMs: number }> {
  const stats = String(await redis.server.command("INFO", "commandstats"));
  const [seconds, micros] = (await redis.server.command("TIME")) as [string, string];
  const [, reads = "0"] = /cmdstat_xreadgroup:calls=(\d+)/.exec(stats) ?? [];
  return { reads: Number(reads), atMs: Number(seconds) * 1_000 + Number(micros) / 1_000 };
}

const withoutBlock: RewriteCommand = ([name, ...args]) => {
  const block = name === "xreadgroup" ? args.findIndex((word) => String(word).toUpperCase() === "BLOCK") : -1;
  return [name, ...(block < 0 ? args : [...args.slice(0, block), ...args.slice(block + 2)])];
};

test("where a proxy drops BLOCK, reads have a floor between empty answers, and messages still come", async () => {
  await using proxy = await CommandProxy.start(redis.server, withoutBlock);
  const { consumer: open, add } = bench();
  const { consumer, events } = open({ redis: proxy.options, blockMs: 2_000, maxWaitMs: 10, leaseMs: 60_000 });
  const got: number[] = [];
  const running = consumer.run((batch) => {
    got.push(...numbers(batch));
    batch.ack();
  });
  await events.waitFor("started");
  // Until the pause has grown to its bound.
  const begin = await readsSoFar();
  const grown = await eventually("it has waited for a while", async () => {
    const now = await readsSoFar();
    return now.atMs - begin.atMs > 1_000 && now;
  });
  const later = await eventually("it has gone on for two seconds more", async () => {
    const now = await readsSoFar();
    return now.atMs - grown.atMs > 2_000 && now;
  });
  const perSecond = (1_000 * (later.reads - grown.reads)) / (later.atMs - grown.atMs);
  // A heartbeat keeps two names fresh with a read each.
  expect(perSecond).toBeLessThan(1_000 / LONGEST_FLOOR_MS + 2);
  expect(later.reads).toBeGreaterThan(grown.reads);
  await add(1, 2, 3);
  await eventually("all came", async () => got.length === 3);
  await consumer.close();
  await running;
  expect(events.all("failed")).toEqual([]);
});

test("what a proxy refuses in words that nobody knows, and need not be, is done without", async () => {
  const refused = new Set(["client", "command", "info"]);
  const refuse: RewriteCommand = (command) =>
    refused.has(command[0].toLowerCase())
      ? ["eval", "return redis.error_reply(ARGV[1])", "0", "ERR we would rather not"]
      : command;
  await using proxy = await CommandProxy.start(redis.server, refuse);
  const { consumer: open, add, pending } = bench();
  const { consumer, events } = open({ redis: proxy.options, blockMs: 200, maxWaitMs: 10 });
  const running = consumer.run((batch) => batch.ack());
  await add(1, 2, 3);
  await eventually("all are done", async () => events.all("acknowledged").length > 0 && (await pending()).length === 0);
  await consumer.close();
  await running;
  expect(events.all("failed")).toEqual([]);
});

test("where nothing drops BLOCK, an idle consumer waits at the server", async () => {
  const { consumer: open, add } = bench();
  const { consumer, events } = open({ blockMs: 1_000, maxWaitMs: 10, leaseMs: 60_000 });
  const running = consumer.run((batch) => batch.ack());
  await add(1);
  await events.waitFor("acknowledged");
  const begin = await readsSoFar();
  const later = await eventually("three seconds have passed", async () => {
    const now = await readsSoFar();
    return now.atMs - begin.atMs > 3_000 && now;
  });
  expect((1_000 * (later.reads - begin.reads)) / (later.atMs - begin.atMs)).toBeLessThan(3);
  await consumer.close();
  await running;
});

test("where the wait of a read never ends, as in Redis 7.2.0 to 7.2.4, nothing reconnects and nothing counts as stalled", async () => {
  const endless: RewriteCommand = ([name, ...args]) => {
    const block = name === "xreadgroup" ? args.findIndex((word) => String(word).toUpperCase() === "BLOCK") : -1;
    return [name, ...args.map((word, index) => (block >= 0 && index === block + 1 ? "0" : word))];
  };
  await using proxy = await CommandProxy.start(redis.server, endless);
  const { consumer: open, add } = bench();
  const { consumer, events } = open({ redis: proxy.options, blockMs: 100, maxWaitMs: 10 });
  const running = consumer.run((batch) => batch.ack());
  await events.waitFor("started");
  const begin = await readsSoFar();
  await eventually("it has read again and again", async () => (await readsSoFar()).reads - begin.reads >= 5);
  await add(1);
  await events.waitFor("acknowledged");
  expect(consumer.health()).toMatchObject({ live: true, ready: true });
  await consumer.close();
  await running;
  expect(events.all("readStalled")).toEqual([]);
  expect(events.all("readFailed")).toEqual([]);
  expect(events.all("connected")).toHaveLength(2);
});
