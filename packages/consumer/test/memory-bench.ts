/** A consumer on a Redis in memory and a clock that only the test moves, with what a test needs around it. */

import { addEntry, EventRecorder, ManualClock } from "@redis-batch/test-support";
import { createMemoryServer } from "@redis-batch/testing/internal";
import { Consumer } from "../src/consumer.ts";
import type { ConsumerEvent } from "../src/events.ts";
import type { ConsumerOptions } from "../src/options.ts";

type Options = Partial<ConsumerOptions<Readonly<Record<string, string>>>>;

export async function openInMemory(options: Options = {}) {
  const stream = "orders";
  const group = "billing";
  const clock = new ManualClock();
  const redis = createMemoryServer({ clock });
  /** One more consumer of the group. */
  const open = (more: Options = {}) => {
    const events = new EventRecorder<ConsumerEvent>();
    const consumer = new Consumer(
      {
        redis: "redis://memory",
        stream,
        group,
        name: "me",
        batchSize: 3,
        maxWaitMs: 500,
        prefetch: 0,
        observer: events.observe,
        ...options,
        ...more,
      },
      {
        clock,
        // Always the longest delay that chance allows.
        random: () => 1,
        createClient: ({ report }) => redis.client(report === undefined ? {} : { report }),
      },
    );
    return { events, consumer };
  };
  const { events, consumer } = open();
  const other = redis.client();
  await other.connect(["commands"], { timeoutMs: 1_000 });
  const add = (n: number): Promise<string> => addEntry(other, { stream, fields: ["n", String(n)] });
  /** How often each pending message was delivered, by id. */
  const deliveries = async (): Promise<ReadonlyMap<string, number>> => {
    const entries = await other.xpendingRange({ stream, group, from: "-", to: "+", count: 10_000 });
    return new Map(entries.map((entry) => [entry.id, entry.deliveries]));
  };
  const pending = async (): Promise<readonly string[]> => [...(await deliveries()).keys()];
  /** Fetches one batch; the clock goes on until it is there. */
  const fetch = async () => {
    const fetching = consumer.fetch();
    let isOver = (): boolean => false;
    const end = (): void => {
      isOver = () => true;
    };
    fetching.then(end, end);
    while (!isOver()) {
      await clock.settle();
      if (!isOver()) await clock.advance(50);
    }
    return fetching;
  };
  /** A client that reads under a name and is never heard of again, each message delivered that many times → the ids. */
  const dieHolding = async (name: string, count: number, times = 1): Promise<readonly string[]> => {
    await other.xgroupCreate({ stream, group, position: "start" });
    const process = redis.client();
    await process.connect(["reader", "commands"], { timeoutMs: 1_000 });
    const entries = await process.xreadgroup({ stream, group, consumer: name, count, blockMs: undefined });
    const ids = entries.map(({ id }) => id);
    if (times > 1) {
      const messages = ids.map((id) => ({ id, deliveries: times }));
      await process.redeliverOwn({ stream, group, consumer: name, messages });
    }
    await process.close();
    return ids;
  };
  /** Ends what runs; the clock goes on for a minute. */
  const close = async (): Promise<void> => {
    const closing = consumer.close();
    await clock.advance(60_000);
    await closing;
  };
  return {
    clock,
    redis,
    events,
    consumer,
    other,
    add,
    pending,
    deliveries,
    fetch,
    dieHolding,
    close,
    open,
    stream,
    group,
  };
}
