/**
 * `Consumer.run` with a handler that does nothing but acknowledge. Variants: `batch`, all at once; `read`, the same, after it
 * has read a field of each message; `each`, message by
 * message; `watched`, with an observer and a lease so short that renewals and heartbeats fall within the run;
 * `unwatched`, without an observer, and the lease and the look for dead consumers as far apart as may be; `delete`, with
 * `onAck: "delete"`; `trickle`, with the share of full batches.
 */
import { Consumer, type ConsumerOptions } from "@redis-batch/consumer";
import { Cluster } from "ioredis";
import { contend } from "../contending.ts";

const VARIANTS: Readonly<Record<string, Partial<ConsumerOptions<unknown>>>> = {
  watched: { leaseMs: 1_000, recoverEveryMs: 1_000 },
  delete: { onAck: "delete" },
  unwatched: { leaseMs: 3_600_000, recoverEveryMs: 3_600_000 },
};

await contend(async ({ redis: address, stream, group, batchSize, maxWaitMs, variant }, meter) => {
  let batches = 0;
  let wholeBatches = 0;
  let events = 0;
  let length = 0;
  const { isCluster, ...server } = address;
  const consumer = new Consumer({
    redis: isCluster === true ? new Cluster([server], { lazyConnect: true }) : server,
    stream,
    group,
    batchSize,
    maxWaitMs,
    ...(variant === "watched" ? { observer: () => void (events += 1) } : {}),
    ...pick(variant),
  });
  await consumer.run((batch) => {
    if (variant === "read") for (const message of batch) length += message.fields["order"]?.length ?? 0;
    if (variant === "each") for (const message of batch) message.ack();
    else batch.ack();
    batches += 1;
    if (batch.size >= 0.9 * batchSize) wholeBatches += 1;
    meter.saw(batch.size);
    if (meter.isDone) void consumer.close();
  });
  if (variant === "read" && length === 0) throw new Error("no message had the field");
  if (variant === "watched" && events === 0) throw new Error("the observer received no events");
  return variant === "trickle" ? { "full batches": wholeBatches / batches } : undefined;
});

function pick(variant: string) {
  return VARIANTS[variant] ?? {};
}
