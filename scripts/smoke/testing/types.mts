// What a TypeScript user of the package sees; compiled against the packed declarations by several compilers.
import { Consumer, type ConsumerEvent, type Handler } from "@redis-batch/consumer";
import {
  EventRecorder,
  ManualClock,
  type MemoryRedis,
  type MemoryRedisOptions,
  makeBatch,
  makeMessage,
  memoryRedis,
  type RecordedOutcome,
  runHandler,
} from "@redis-batch/testing";
import { create } from "./types.cjs";

interface Order {
  readonly orderId: string;
}
const handler: Handler<Order> = (batch) => {
  for (const { value } of batch) if (value.orderId === "") return { retry: "rest" };
  return { ack: "rest" };
};

/** What a handler says. */
export async function outcomes(): Promise<readonly RecordedOutcome[]> {
  const batch = makeBatch([{ orderId: "A-17" }, makeMessage({ orderId: "A-18" }, { deliveries: 2 })]);
  const reasons = batch.messages.map(({ outcome }) => (outcome.kind === "retried" ? outcome.reason : undefined));
  return reasons.length > 0 ? runHandler(handler, batch) : batch.outcomes;
}

/** A consumer, and when it has done something. */
export async function consume(clock: ManualClock = new ManualClock()): Promise<number> {
  const events = new EventRecorder<ConsumerEvent>();
  const redis = memoryRedis({ clock });
  const consumer = new Consumer({ redis, stream: "orders", group: "billing", observer: events.observe });
  const { messages } = await clock.advanceUntil(events.waitFor("acknowledged"));
  await consumer.close();
  return messages;
}

// One class, whichever way it is loaded.
export const created: MemoryRedis = create();

// Declarations that could not be resolved would be `any`, and allow this.
// @ts-expect-error serverTimeMs is a number
export const wrong = (): unknown => memoryRedis({ serverTimeMs: "now" });

// With exactOptionalPropertyTypes: an option may be given as undefined, as process.env has it.
type Unset<Options> = {
  [Name in keyof Options]: object extends Pick<Options, Name> ? Options[Name] | undefined : Options[Name];
};
export const unset = (given: Unset<MemoryRedisOptions>): MemoryRedisOptions => given;
