/**
 * An object store, such as S3, R2 or MinIO: one compressed object for each batch
 *
 * The object is named after the first and the last message. Repeating the same batch replaces the object; after a crash
 * the messages may come in other batches, so a message can be in two objects. Each line has the message's id: who reads
 * the objects leaves out ids that were there before.
 */
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { Consumer } from "@redis-batch/consumer";
import { AwsClient } from "aws4fetch";
import { settings } from "./settings.ts";

const BUCKET = process.env["BUCKET_URL"] ?? "http://localhost:9000/events";
const store = new AwsClient({
  accessKeyId: process.env["AWS_ACCESS_KEY_ID"] ?? "",
  secretAccessKey: process.env["AWS_SECRET_ACCESS_KEY"] ?? "",
  service: "s3",
  region: process.env["AWS_REGION"] ?? "us-east-1",
  // The consumer repeats what failed, and backs off while the store is away.
  retries: 0,
});

// Large batches, because each object costs a request: when 5,000 messages are there, or after a while.
const consumer = new Consumer({
  ...{ ...settings, stream: "events", group: "archive", batchSize: 5_000 },
  maxWaitMs: Number(process.env["MAX_WAIT_MS"] ?? 60_000),
});
process.once("SIGTERM", () => void consumer.close());

await consumer.run(async (batch, { signal }) => {
  const lines = batch.messages.map(({ id, fields }) => `${JSON.stringify({ id, ...fields })}\n`);
  const name = `${batch.messages.at(0)?.id}_${batch.messages.at(-1)?.id}.ndjson.gz`;
  const response = await store.fetch(`${BUCKET}/${name}`, {
    method: "PUT",
    body: await promisify(gzip)(lines.join("")),
    headers: { "content-type": "application/x-ndjson", "content-encoding": "gzip" },
    signal: AbortSignal.any([signal, AbortSignal.timeout(60_000)]),
  });
  if (!response.ok) throw new Error(`the store answered ${response.status}`);
  batch.ack();
  console.log(`stored ${batch.size} as ${name}`);
});
