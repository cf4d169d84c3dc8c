/** Dead letters of a stream whose partitions are on several masters of a Cluster, as those of one stream. */
import { DeadLetters } from "@redis-batch/core";
import { eventually, startCluster, uniqueName, useServers } from "@redis-batch/test-support";
import { Cluster } from "ioredis";
import { expect, it } from "vitest";
import { Consumer, Producer } from "../src/index.ts";

const cluster = useServers((source) => startCluster({ source, primaries: 3, replicasEach: 0 }));

it("dead letters of all masters are listed, redriven and processed once more", async () => {
  const redis = new Cluster(cluster.servers.startupNodes, { lazyConnect: true });
  const where = { redis, stream: uniqueName("letters"), partitions: 6, observer: () => {} };
  await using producer = new Producer(where);
  await Promise.all(Array.from({ length: 60 }, (_, n) => producer.add({ n }, { key: `k${n}` })));
  let isBroken = true;
  const done: number[] = [];
  await using consumer = new Consumer({ ...where, group: "billing", maxWaitMs: 20, blockMs: 300, rebalanceGraceMs: 0 });
  const running = consumer.run((batch) => {
    for (const message of batch) {
      if (isBroken) message.deadLetter("the order is gone");
      else {
        done.push(Number(message.fields["n"]));
        message.ack();
      }
    }
  });
  await using letters = new DeadLetters({ redis, stream: where.stream, group: "billing" });
  await eventually("all are dead letters", async () => (await letters.count()) === 60);
  isBroken = false;
  const seen = new Set<string>();
  for await (const letter of letters) seen.add(letter.id);
  expect(seen.size).toBe(60);
  expect(await letters.summarise()).toMatchObject({ groups: [{ letters: 60, error: "the order is gone" }] });
  const first = await letters.redrive({ filter: "all", limit: 25 });
  expect(first).toMatchObject({ redriven: 25, skipped: 0 });
  expect(await letters.redrive({ filter: "all", from: first.next ?? "" })).toMatchObject({ redriven: 35, next: null });
  await eventually("all are processed", async () => done.length === 60);
  expect(done.toSorted((one, other) => one - other)).toEqual(Array.from({ length: 60 }, (_, n) => n));
  await consumer.close();
  await running;
});
