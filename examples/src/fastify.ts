/**
 * Fastify: a plugin with the consumer, and probes for Kubernetes
 *
 * `/livez` fails only when a restart helps; `/readyz` fails while the consumer does not read. Closing the application
 * drains the consumer first.
 */
import { Consumer, type ConsumerOptions, type Handler } from "@redis-batch/consumer";
import Fastify, { type FastifyInstance } from "fastify";
import { settings } from "./settings.ts";

async function streamWorker(
  app: FastifyInstance,
  options: { consumer: ConsumerOptions; handler: Handler },
): Promise<void> {
  const consumer = new Consumer(options.consumer);
  app.get("/livez", (_, reply) => reply.code(consumer.health().live ? 200 : 503).send(consumer.health()));
  app.get("/readyz", (_, reply) => reply.code(consumer.health().ready ? 200 : 503).send(consumer.health()));
  app.addHook("onReady", async () => {
    // Not awaited: it runs until the application closes.
    consumer.run(options.handler).catch((error: unknown) => {
      app.log.error(error);
      process.exitCode = 1;
      void app.close();
    });
  });
  app.addHook("onClose", async () => {
    await consumer.close();
  });
}

const app = Fastify();
await app.register(streamWorker, {
  consumer: { ...settings, stream: "clicks", group: "statistics", maxWaitMs: 50 },
  handler: (batch) => {
    console.log(`counted ${batch.size}`);
    batch.ack();
  },
});
process.once("SIGTERM", () => void app.close());
console.log(await app.listen({ host: "127.0.0.1", port: Number(process.env["PORT"] ?? 3000) }));
