/**
 * `Consumer.run` with a handler that does nothing but acknowledge. Variants: `batch`, all at once; `each`, message by
 * message; `watched`, with an observer and a lease so short that renewals and heartbeats fall within the run;
 * `unwatched`, without an observer, and the lease and the look for dead consumers as far apart as may be; `delete`, with
 * `onAck: "delete"`; `trickle`, with the share of full batches.
 */
import { Consumer, type ConsumerOptions } from "@redis-batch/consumer";
import { contend } from "../contending.ts";

const VARIANTS: Readonly<Record<string, Partial<ConsumerOptions<unknown>>>> = {
  watched: { leaseMs: 1_000, recoverEveryMs: 1_000 },
  delete: { onAck: "delete" },
  unwatched: { leaseMs: 3_600_000, recoverEveryMs: 3_600_000 },
};

await contend(async ({ redis, stream, group, batchSize, maxWaitMs, variant }, meter) => {
  let batches = 0;
  let wholeBatches = 0;
  let events = 0;
  const consumer = new Consumer({
    redis,
    stream,
    group,
    batchSize,
    maxWaitMs,
    ...(variant === "watched" ? { observer: () => void (events += 1) } : {}),
    ...pick(variant),
  });
  await consumer.run((batch) => {
    if (variant === "each") for (const message of batch) message.ack();
    else batch.ack();
    batches += 1;
    if (batch.size >= 0.9 * batchSize) wholeBatches += 1;
    meter.saw(batch.size);
    if (meter.isDone) void consumer.close();
  });
  if (variant === "watched" && events === 0) throw new Error("the observer received no events");
  return variant === "trickle" ? { "full batches": wholeBatches / batches } : undefined;
});

function pick(variant: string) {
  return VARIANTS[variant] ?? {};
}
