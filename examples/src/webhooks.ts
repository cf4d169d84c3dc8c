/**
 * Webhooks: every event to every subscriber, each at its own pace
 *
 * Each subscriber is a consumer group, so each gets every event, has its own backlog, retries and dead letters, and one
 * that is down keeps no other waiting. The event's id is sent along: a subscriber that gets it twice can tell.
 */
import { Consumer, type Message } from "@redis-batch/consumer";
import { settings } from "./settings.ts";

/** Such as `{"crm": "https://crm.example/hook", "mail": "https://mail.example/hook"}`. */
const subscribers = JSON.parse(process.env["SUBSCRIBERS"] ?? "{}") as Readonly<Record<string, string>>;

async function deliver(message: Message, url: string, signal: AbortSignal): Promise<void> {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", "idempotency-key": message.id },
      body: JSON.stringify(message.fields),
      signal: AbortSignal.any([signal, AbortSignal.timeout(10_000)]),
    });
    await response.arrayBuffer();
    if (response.ok) message.ack();
    // The subscriber says that it will never take this one. 408 and 429 mean later.
    else if (response.status < 500 && response.status !== 408 && response.status !== 429) {
      message.deadLetter(`answered ${response.status}`);
    } else message.retry({ reason: `answered ${response.status}` });
  } catch (error) {
    message.retry({ reason: error });
  }
}

const consumers = Object.entries(subscribers).map(([name, url]) => {
  const consumer = new Consumer({
    ...{ ...settings, stream: "events", group: `webhook-${name}`, batchSize: 20, maxWaitMs: 50 },
    retry: { baseMs: 500, capMs: 3_600_000 },
  });
  const running = consumer.run(async (batch, { signal }) => {
    await Promise.all(batch.messages.map((message) => deliver(message, url, signal)));
    console.log(`${name}: ${batch.size}`);
  });
  return { consumer, running };
});
process.once("SIGTERM", () => {
  for (const { consumer } of consumers) void consumer.close();
});
await Promise.all(consumers.map(({ running }) => running));
