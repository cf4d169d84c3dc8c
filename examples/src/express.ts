/**
 * Express: requests add messages, and the same process works on them
 *
 * The request is answered once the server has the message. A client that repeats a request with the same key adds nothing:
 * it gets the id of the first one. On SIGTERM requests end first, then the consumer drains.
 */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { Consumer, Producer, RedisBatchError } from "@redis-batch/consumer";
import express from "express";
import { settings } from "./settings.ts";

const stream = "uploads";
const producer = new Producer({ redis: settings.redis, stream });
const consumer = new Consumer({ ...settings, stream, group: "scanner", maxWaitMs: 50 });

const app = express();
app.use(express.json());
app.post("/uploads", async (request, response) => {
  const { file } = request.body as { readonly file?: unknown };
  if (typeof file !== "string") {
    response.status(400).json({ error: "file is missing" });
    return;
  }
  const key = request.get("idempotency-key");
  try {
    const id = await producer.add({ file }, key === undefined ? {} : { idempotencyKey: key });
    response.status(202).json({ id });
  } catch (error) {
    // With a key, the client may repeat the request, whatever has become of this one.
    if (!RedisBatchError.is(error) || !error.retryable) throw error;
    response.status(503).json({ error: error.message });
  }
});
app.get("/readyz", (_, response) => {
  response.status(consumer.health().ready ? 200 : 503).end();
});

const server = app.listen(Number(process.env["PORT"] ?? 3000), "127.0.0.1");
await once(server, "listening");
console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
process.once("SIGTERM", () => server.close(() => void consumer.close()));

await consumer.run((batch) => {
  for (const message of batch) console.log(`scanned ${message.fields["file"]}`);
  batch.ack();
});
await producer.close();
