/** A producer: adds its messages at a pace, in a process of its own, and records the result of each. */
import { setTimeout as pause } from "node:timers/promises";
import {
  ConnectionError,
  Producer,
  type ProducerOptions,
  partitionOfKey,
  QueueFullError,
  ServerStateError,
} from "@redis-batch/consumer";
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
const open = (options: Pick<ProducerOptions, "stream" | "partitions">): Producer =>
  ending.use(
    new Producer({
      ...{ redis: task.url, queueTimeoutMs: 5_000, ...options },
      ...(task.replicas > 0 ? { waitForReplicas: { count: task.replicas, timeoutMs: REPLICAS_LIMIT_MS } } : {}),
    }),
  );
const { streams, logical } = task;
const ofPartitions = logical === undefined ? undefined : open({ stream: logical, partitions: streams.length });
const producers = ofPartitions === undefined ? streams.map((stream) => ({ stream, producer: open({ stream }) })) : [];

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
await ofPartitions?.close();
console.log("done");

function placeOf(orderKey: string): { readonly stream: string; readonly producer: Producer } {
  if (ofPartitions === undefined) return places.pick(producers);
  return { stream: streams[partitionOfKey(orderKey, streams.length)] as string, producer: ofPartitions };
}

/** Adds it until that is confirmed, or its outcome is unknown. */
async function add(index: number): Promise<void> {
  const key = `${task.name}-${index}`;
  const intent = intentOf(random.next(), task.shares);
  const orderKey = orderKeyOf(places.next());
  const { stream, producer } = placeOf(orderKey);
  const options = {
    ...(task.keyed && index % 2 === 0 ? { idempotencyKey: key } : {}),
    ...(ofPartitions === undefined ? {} : { key: orderKey }),
  };
  while (performance.now() < giveUpAtMs) {
    try {
      const id = await producer.add({ name: key, orderKey, intent }, options);
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
