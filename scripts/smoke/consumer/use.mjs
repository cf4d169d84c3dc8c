// Ten messages through the server whose URL is the only argument.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { Consumer, Producer } from "@redis-batch/consumer";

const target = { redis: process.argv[2] ?? "", stream: `smoke-${randomUUID()}` };

const producer = new Producer(target);
for (let n = 1; n <= 10; n++) await producer.add({ n: String(n) });
await producer.close();

const consumer = new Consumer({ ...target, group: "smoke", batchSize: 10, maxWaitMs: 2_000 });
const batch = await consumer.fetch();
assert.deepEqual(
  Array.from(batch, (message) => message.fields["n"]),
  Array.from({ length: 10 }, (_, index) => String(index + 1)),
);
for (const message of batch) message.ack();
const { acknowledged } = await batch.settled();
assert.equal(acknowledged.length, 10);
await consumer.close();

// What only servers and webhooks need was not loaded. Bun and Deno do not tell.
const loaded = /** @type {readonly string[]} */ (Reflect.get(process, "moduleLoadList"));
assert.deepEqual(
  loaded.filter((name) => name.includes("http")),
  [],
);
