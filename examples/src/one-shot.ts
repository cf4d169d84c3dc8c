/**
 * One shot, as in AWS Lambda: take what is there, then end
 *
 * `fetch()` returns an empty batch only if the server was asked and had nothing. If the server is away it rejects: the
 * function fails, and is not mistaken for one that had nothing to do. Several may run at the same time: each message goes
 * to one of them.
 */
import { fileURLToPath } from "node:url";
import { Consumer } from "@redis-batch/consumer";
import { settings } from "./settings.ts";

export async function handler(): Promise<{ exported: number }> {
  // Nothing is read ahead: a message that this run has not asked for is left to the others.
  const consumer = new Consumer({
    ...{ ...settings, stream: "invoices", group: "export", maxWaitMs: 0, prefetch: 0 },
    // A function is paid by the second: it does not wait long for a server that is away.
    connectTimeoutMs: 5_000,
  });
  let exported = 0;
  try {
    for (;;) {
      const batch = await consumer.fetch();
      if (batch.size === 0) return { exported };
      for (const { id, fields } of batch) console.log(`exported ${fields["number"]} (${id})`);
      batch.ack();
      const { acknowledged } = await batch.settled();
      exported += acknowledged.length;
    }
  } finally {
    await consumer.close();
  }
}

// Lambda calls `handler`; a container or a cron job runs this file.
if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(JSON.stringify(await handler()));
