/**
 * Worker threads: handlers that need the CPU
 *
 * A handler that computes for long blocks the event loop, and with it the renewal of the leases: others would take its
 * messages. Here each batch goes to a thread, so the loop is free, and as many batches are at work as there are threads.
 */
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { Consumer } from "@redis-batch/consumer";
import { settings } from "./settings.ts";

const idle = Array.from({ length: Number(process.env["THREADS"] ?? availableParallelism()) }, startThread);

function startThread(): Worker {
  return new Worker(new URL("./hash-thread.ts", import.meta.url));
}

async function hashInThread(passwords: readonly string[]): Promise<readonly string[]> {
  // There is one for each handler that runs at the same time.
  const thread = idle.pop() ?? startThread();
  try {
    thread.postMessage(passwords);
    // Rejects if the thread fails, and so do the messages.
    const [hashes] = (await once(thread, "message")) as [readonly string[]];
    idle.push(thread);
    return hashes;
  } catch (error) {
    await thread.terminate();
    throw error;
  }
}

const consumer = new Consumer({
  ...{ ...settings, stream: "passwords", group: "hasher", batchSize: 10, maxWaitMs: 50 },
  concurrency: idle.length,
});
process.once("SIGTERM", () => void consumer.close());
await consumer.run(async (batch) => {
  const hashes = await hashInThread(batch.messages.map(({ fields }) => fields["password"] ?? ""));
  for (const [at, message] of batch.messages.entries()) {
    console.log(`${message.fields["user"]} ${hashes[at]}`);
    message.ack();
  }
});
await Promise.all(idle.map((thread) => thread.terminate()));
