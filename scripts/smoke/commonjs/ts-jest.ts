// ts-jest with the resolution that CommonJS projects have had for ever.
import { strict as assert } from "node:assert";
import { randomUUID } from "node:crypto";
import { Consumer, Producer } from "@redis-batch/consumer";
import { RedisBatchError } from "@redis-batch/core";
import { kubernetesExecutor } from "@redis-batch/scaler/kubernetes";
import { memoryRedis } from "@redis-batch/testing";

// There are no types of Jest here.
declare function test(name: string, run: () => void | Promise<void>, timeoutMs?: number): void;

const redis = process.env["SMOKE_URL"] ?? "";

test("a message goes its way", async () => {
  const stream = `smoke-${randomUUID()}`;
  const producer = new Producer({ redis, stream });
  await producer.add({ n: "1" });
  await producer.close();

  const consumer = new Consumer({ redis, stream, group: "smoke", batchSize: 1 });
  const batch = await consumer.fetch();
  const texts = batch.messages.map(({ fields }) => fields["n"]);
  assert.deepEqual(texts, ["1"]);
  batch.ack();
  await consumer.close();
}, 60_000);

test("what lies deeper is found as well", () => {
  assert.throws(() => memoryRedis({ clok: 1 } as never), RedisBatchError);
  assert.throws(() => kubernetesExecutor({ name: "" } as never), RedisBatchError);
});
