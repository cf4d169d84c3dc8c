/**
 * A bulk API, such as Elasticsearch or OpenSearch: an answer for each item, and a rate limit
 *
 * `_bulk` answers 200 although some items failed, so each item is looked at: done, try again, or never. The document has
 * the message's id, so sending it again replaces it. The rate is that of all processes of the group together.
 */
import { Consumer, type Message } from "@redis-batch/consumer";
import { settings } from "./settings.ts";

const ADDRESS = process.env["SEARCH_URL"] ?? "http://localhost:9200";

interface BulkAnswer {
  readonly items: readonly {
    readonly index: { readonly status: number; readonly error?: { readonly reason: string } };
  }[];
}

async function sendBulk(messages: readonly Message[], signal: AbortSignal): Promise<BulkAnswer> {
  const lines = messages.flatMap(({ id, fields }) => [{ index: { _index: "orders", _id: id } }, fields]);
  const response = await fetch(`${ADDRESS}/_bulk`, {
    method: "POST",
    headers: { "content-type": "application/x-ndjson" },
    body: lines.map((line) => `${JSON.stringify(line)}\n`).join(""),
    // The lease is renewed however long it takes; this ends what would hang.
    signal: AbortSignal.any([signal, AbortSignal.timeout(30_000)]),
  });
  // All of it failed: thrown, so that the consumer backs off and tries one message at a time.
  if (!response.ok) throw new Error(`the search engine answered ${response.status}`);
  return (await response.json()) as BulkAnswer;
}

const consumer = new Consumer({
  ...settings,
  ...{ stream: "orders", group: "search", batchSize: 200, maxWaitMs: 200 },
  rateLimit: { messages: 1_000, perMs: 1_000 },
  retry: { baseMs: 200 },
});
process.once("SIGTERM", () => void consumer.close());

await consumer.run(async (batch, { signal }) => {
  const { items } = await sendBulk(batch.messages, signal);
  for (const [at, message] of batch.messages.entries()) {
    const { status, error } = items[at]?.index ?? { status: 500 };
    if (status < 300) message.ack();
    else if (status === 429 || status >= 500) message.retry({ reason: error?.reason ?? `status ${status}` });
    else message.deadLetter(error?.reason ?? `status ${status}`);
  }
  console.log(`indexed ${batch.size}`);
});
