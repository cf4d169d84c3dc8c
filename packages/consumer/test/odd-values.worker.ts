/** A worker without an observer, whose own code misbehaves in the way that its second argument names. */
import { fieldsCodec, PayloadError, withSchema } from "@redis-batch/core";
import { ODD_VALUES } from "@redis-batch/test-support";
import { Consumer, type ConsumerOptions } from "../src/index.ts";

const [url = "", stream = "", how = ""] = process.argv.slice(2);
const elsewhere = (fields: unknown): never =>
  Promise.reject(new Error(`cannot read ${JSON.stringify(fields)}`)) as never;

/** The codec of a worker that has a faulty one. */
function codecOf(): ConsumerOptions<unknown>["codec"] {
  if (how === "undecodable") {
    return {
      decode() {
        throw new PayloadError("cannot\nread it");
      },
    };
  }
  if (how === "decode") return { decode: (fields) => elsewhere(fields) };
  if (how !== "schema") return undefined;
  return withSchema(fieldsCodec, {
    "~standard": { version: 1, vendor: "test", validate: elsewhere },
  });
}

const codec = codecOf();
const consumer = new Consumer<unknown>({
  ...{ redis: url, stream, group: "billing", batchSize: 1, maxWaitMs: 10, retry: { baseMs: 1, capMs: 1 } },
  ...{ maxDeliveries: 2 },
  ...(codec === undefined ? {} : { codec }),
});
process.once("SIGTERM", () => void consumer.close());
const seen = new Map<string, number>();
await consumer.run(async (batch) => {
  if (how === "promises" && batch.messages.some(({ id }) => !seen.has(id))) {
    for (const { id } of batch) seen.set(id, 0);
    return batch.messages.map(async ({ fields }) => elsewhere(fields)) as never;
  }
  for (const message of batch) {
    const attempt = (seen.get(message.id) ?? 0) + 1;
    seen.set(message.id, attempt);
    const [, odd] = ODD_VALUES[seen.size - 1] ?? [];
    if (attempt === 1 && how === "throw") throw odd;
    if (attempt === 1 && how === "reject") await Promise.reject(odd);
    if (how === "dead-letter") message.deadLetter(odd);
    else if (attempt === 1 && how === "fail") throw new Error("cannot\nreach the disk");
    else message.ack();
  }
});
process.stdout.write("ended\n");
