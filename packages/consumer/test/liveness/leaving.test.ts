/** What a consumer releases when it stops comes to its successor within two seconds, and its name is gone at once. */

import { eventually, fairNowMs, useServer } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import { CONSUMER_DEFAULTS } from "../../src/index.ts";
import { acknowledge, type Group, useGroup, type Worker } from "./group.ts";

const group = useGroup(useServer({ own: true }));

/** Three times what is promised: within two seconds it is the successor's, within `maxWaitMs` more it is offered. */
const OWNED_MS = 3 * 2_000;
const OFFERED_MS = 3 * (CONSUMER_DEFAULTS.maxWaitMs + 2_000);

/** 200 messages, of which one consumer acknowledges ten and releases 90 that it was offered and 100 that it was not. */
async function leaver(made: Group): Promise<Pick<Worker, "consumer" | "events">> {
  await made.fill(200);
  const { consumer, events } = made.consumer();
  const batch = await consumer.fetch();
  for (const message of batch.messages.slice(0, 10)) message.ack();
  await batch.settled();
  await eventually("100 are read ahead", async () => (await made.pendingByName())[consumer.name] === 190);
  return { consumer, events };
}

/** Waits until all 190 have come to the successor → how soon and how often they came. */
async function arrivalAt(made: Group, successor: Worker, closedAtMs: number) {
  await eventually("all 190 are offered", () => made.offered(successor.consumer.name) === 190, {
    timeoutMs: OFFERED_MS,
  });
  await made.finish(5_000);
  const times = made.offers.map(({ fairAtMs }) => fairAtMs - closedAtMs);
  return {
    isFirstInTime: Math.min(...times) < OWNED_MS,
    isLastInTime: Math.max(...times) < OFFERED_MS,
    offers: made.offers.length,
    // What was never offered comes as new.
    first: made.offers.filter(({ deliveries }) => deliveries === 1).length,
    second: made.offers.filter(({ deliveries }) => deliveries === 2).length,
  };
}
const AS_PROMISED = { isFirstInTime: true, isLastInTime: true, offers: 190, first: 100, second: 90 };

describe("what close() released, with default options", () => {
  it("comes to a successor that starts afterwards", async () => {
    const made = group();
    const { consumer } = await leaver(made);
    await consumer.close();
    const closedAtMs = fairNowMs();
    expect(await arrivalAt(made, made.start(acknowledge), closedAtMs)).toEqual(AS_PROMISED);
  });

  it("comes to a successor that was there before", async () => {
    const made = group();
    const { consumer } = await leaver(made);
    const successor = made.start(acknowledge);
    await successor.events.waitFor("started");
    await consumer.close();
    expect(await arrivalAt(made, successor, fairNowMs())).toEqual(AS_PROMISED);
  });

  it("comes to a successor with the same name", async () => {
    const made = group();
    await made.fill(200);
    const first = made.consumer({ name: "worker" });
    await first.consumer.fetch();
    await eventually("100 are read ahead", async () => (await made.pendingByName())["worker"] === 200);
    await first.consumer.close();
    const closedAtMs = fairNowMs();
    const second = made.start(acknowledge, { name: "worker" });
    await eventually("all 200 are offered", () => made.offered("worker") === 200, { timeoutMs: OFFERED_MS });
    expect((made.offers[0]?.fairAtMs ?? Number.POSITIVE_INFINITY) - closedAtMs).toBeLessThan(OWNED_MS);
    expect(made.offers).toHaveLength(200);
    await made.finish(5_000);
    expect(second.consumer.health()).toMatchObject({ live: true, ready: true });
  });

  it("comes to a successor that uses fetch(), and one that uses for await", async () => {
    const made = group();
    const { consumer } = await leaver(made);
    await consumer.close();
    const closedAtMs = fairNowMs();
    const fetching = made.consumer();
    made.record("fetch", await fetching.consumer.fetch());
    expect(made.offered("fetch")).toBe(100);
    await fetching.consumer.close();
    const iterating = made.consumer();
    const reading = (async () => {
      for await (const batch of iterating.consumer) {
        made.record("for await", batch);
        batch.ack();
        if (made.offered("for await") === 190) break;
      }
    })();
    await eventually("all 190 are offered", () => made.offered("for await") === 190, { timeoutMs: 2 * OFFERED_MS });
    await reading;
    expect(fairNowMs() - closedAtMs).toBeLessThan(2 * OFFERED_MS);
    await made.finish(5_000);
  });

  it("is held by no consumer meanwhile: the leaver's name and its entry in the registry are gone at once", async () => {
    const made = group();
    const { consumer } = await leaver(made);
    const report = await consumer.close();
    expect(report).toMatchObject({ released: 190, nameRemoved: true });
    expect(await made.names()).toEqual([]);
    expect(await made.pendingByName()).toEqual({ "rb:released": 190 });
    expect(await made.server.command("HEXISTS", made.key("consumers"), consumer.name)).toBe(0);
  });

  it("goes to several successors, to each for the places that it has, and to none twice", async () => {
    const made = group();
    const { consumer } = await leaver(made);
    const workers = [1, 2, 3].map(() => made.start(acknowledge, { batchSize: 20 }));
    for (const { events } of workers) await events.waitFor("started");
    await consumer.close();
    await made.finish(OFFERED_MS);
    expect(made.offers).toHaveLength(190);
  });
});

/** How long the server is busy with the release of 3,000 messages, while others hold this many, in milliseconds. */
async function measureRelease(pendingElsewhere: number): Promise<number> {
  const made = group();
  const held = 3_000;
  await made.fill(pendingElsewhere + held);
  if (pendingElsewhere > 0) await made.readAs("other", pendingElsewhere);
  const { consumer } = made.consumer({ batchSize: held, prefetch: 0, maxWaitMs: 10_000 });
  expect((await consumer.fetch()).size).toBe(held);
  await made.server.command("CONFIG", "RESETSTAT");
  expect(await consumer.close()).toMatchObject({ released: held });
  const stats = await made.server.info("commandstats");
  return Object.entries(stats)
    .filter(([name]) => /^cmdstat_(evalsha|eval|fcall)$/.test(name))
    .map(([, text]) => Number(/usec=(\d+)/.exec(text)?.[1]) / 1_000)
    .reduce((sum, ms) => sum + ms, 0);
}

describe("releasing", () => {
  it("costs the server the same, however many are pending in the group", async () => {
    const aloneMs = await measureRelease(0);
    // Walking the pending list took 30 times as long. The rest is room for a machine that has other work, too.
    expect(await measureRelease(100_000)).toBeLessThan(10 * aloneMs);
  });
});
