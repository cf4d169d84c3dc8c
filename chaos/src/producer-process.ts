/** A producer: adds its messages at a pace, in a process of its own, and records the result of each. */
import { setTimeout as pause } from "node:timers/promises";
import { ConnectionError, Producer, QueueFullError, ServerStateError } from "@redis-batch/consumer";
import { seededRandom } from "@redis-batch/test-support";
import { entryName } from "./entry.ts";
import { intentOf } from "./intent.ts";
import { Journal, type ProducerLine } from "./journal.ts";
import { orderKeyOf } from "./order-key.ts";
import type { ProducerTask } from "./tasks.ts";

const PACE_MS = 20;
/** Longer than a replica is behind on a busy machine. */
const REPLICAS_LIMIT_MS = 1_000;

const task = JSON.parse(process.argv[2] ?? "") as ProducerTask;
const random = seededRandom(task.seed);
// Of its own, so that a seed's intents stay what they were.
const places = seededRandom(task.seed + 1);
const giveUpAtMs = performance.now() + task.giveUpAfterMs;
using journal = new Journal<ProducerLine>(task.journal);
await using ending = new AsyncDisposableStack();
const producers = task.streams.map((stream) => ({
  stream,
  producer: ending.use(
    new Producer({
      redis: task.url,
      stream,
      queueTimeoutMs: 5_000,
      ...(task.replicas > 0 ? { waitForReplicas: { count: task.replicas, timeoutMs: REPLICAS_LIMIT_MS } } : {}),
    }),
  ),
}));

const adds: Promise<void>[] = [];
const startedAtMs = performance.now();
for (let index = 0; index < task.messages; index++) {
  const dueAtMs = startedAtMs + (index / task.perSecond) * 1_000;
  const earlyMs = dueAtMs - performance.now();
  if (earlyMs > PACE_MS) await pause(earlyMs);
  adds.push(add(index));
}
await Promise.all(adds);
for (const { producer } of producers) await producer.close();
console.log("done");

/** Adds it until that is confirmed, or its outcome is unknown. */
async function add(index: number): Promise<void> {
  const key = `${task.name}-${index}`;
  const intent = intentOf(random.next(), task.shares);
  const orderKey = orderKeyOf(places.next());
  const { stream, producer } = places.pick(producers);
  const options = task.keyed && index % 2 === 0 ? { idempotencyKey: key } : {};
  while (performance.now() < giveUpAtMs) {
    try {
      const id = await producer.add({ key, orderKey, intent }, options);
      return journal.write({ e: "confirmed", key, id: entryName(task.streams, stream, id), orderKey, intent });
    } catch (error) {
      const wasNotAdded =
        ServerStateError.is(error) ||
        QueueFullError.is(error) ||
        (ConnectionError.is(error) && (error.outcome === "not-sent" || (task.keyed && index % 2 === 0)));
      if (!wasNotAdded) {
        if (!ConnectionError.is(error)) throw error;
        return journal.write({ e: "unknown", key, orderKey, intent });
      }
      await pause(PACE_MS);
    }
  }
  journal.write({ e: "unknown", key, orderKey, intent });
}
