/** A contender's consumers of several streams: one of all, one of each, or one of the stream of which they are the partitions. */
import { type Batch, Consumer, type ConsumerOptions } from "@redis-batch/consumer";
import { contend, type Meter, type Task } from "./contending.ts";
import type { Figures } from "./figures.ts";

export interface Several {
  readonly handle: (batch: Batch, meter: Meter) => void | Promise<void>;
  readonly options?: (task: Task) => Partial<ConsumerOptions>;
  /** The work's own figures. */
  readonly figures?: () => Figures;
  /** What there is to do besides. */
  readonly besides?: (meter: Meter) => Promise<void>;
}

/**
 * Lets them work until all messages are there. Variants: `together`, one consumer of all streams; `apart`, a consumer of each;
 * `partitions`, the streams are the partitions of `stream`.
 */
export async function contendWithStreams({ handle, options, figures, besides }: Several): Promise<void> {
  let close = async (): Promise<void> => {};
  await contend(async (task, meter) => {
    const { redis, stream, streams = [stream], group, batchSize, maxWaitMs, variant } = task;
    const consumers = whatEachReads(variant, stream, streams).map(
      (what) => new Consumer({ redis, ...what, group, batchSize, maxWaitMs, ...options?.(task) }),
    );
    close = async () => void (await Promise.all(consumers.map((consumer) => consumer.close())));
    const isDone = new Promise<void>((resolve, reject) => {
      for (const consumer of consumers) {
        const running = consumer.run(async (batch) => {
          await handle(batch, meter);
          if (meter.isDone) resolve();
        });
        running.catch(reject);
      }
    });
    await (besides?.(meter) ?? isDone);
    return figures?.();
  });
  // What this costs is not what a message costs.
  await close();
}

function whatEachReads(
  variant: string,
  stream: string,
  streams: readonly string[],
): readonly Partial<ConsumerOptions>[] {
  if (variant === "partitions") return [{ stream, partitions: streams.length, rebalanceGraceMs: 0 }];
  return variant === "apart" ? streams.map((one) => ({ streams: [one] })) : [{ streams }];
}
