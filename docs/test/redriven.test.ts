/** What the guides say of redriven messages: a consumer of the group takes them, and no other group does. */

import { Consumer, type ConsumerEvent, Producer } from "@redis-batch/consumer";
import { DeadLetters } from "@redis-batch/core";
import { EventRecorder, uniqueName, useServer } from "@redis-batch/test-support";
import { expect, it } from "vitest";

const server = useServer();

it("a redriven message comes to a running consumer of its group, as on its first delivery", async () => {
  const { url: redis } = server.server;
  const stream = uniqueName("orders");
  const quick = { redis, stream, leaseMs: 500, recoverEveryMs: 100, blockMs: 100, maxWaitMs: 50 };
  const events = new EventRecorder<ConsumerEvent>();
  await using producer = new Producer({ redis, stream });
  await using billing = new Consumer({ ...quick, group: "billing", observer: events.observe });
  await using audit = new Consumer({ ...quick, group: "audit" });
  await using deadLetters = new DeadLetters({ redis, stream, group: "billing" });

  const id = await producer.add({ order: "A-17" });
  const deliveries: number[] = [];
  const running = billing.run((batch) => {
    for (const message of batch) {
      deliveries.push(message.deliveries);
      if (events.all("deadLettered").length === 0) message.deadLetter("no such order");
      else message.ack();
    }
  });
  await events.waitFor("deadLettered");
  const audited = await audit.fetch();
  expect(audited.messages.map((message) => message.id)).toEqual([id]);
  for (const message of audited) message.ack();
  await audited.settled();

  expect(await deadLetters.redrive({ filter: "all" })).toMatchObject({ redriven: 1 });
  await events.waitFor("acknowledged", { timeoutMs: 10_000 });
  expect(deliveries).toEqual([1, 1]);
  expect(await deadLetters.count()).toBe(0);
  expect((await audit.fetch()).size).toBe(0);
  await billing.close();
  await running;
});
