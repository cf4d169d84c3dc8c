// What a TypeScript user of the package sees; compiled against the packed declarations by several compilers.
import { Consumer, type ConsumerOptions, Producer } from "@redis-batch/consumer";
import { create } from "./types.cjs";

const options = { redis: "redis://localhost", stream: "orders", group: "billing", batchSize: 10 };

/** One batch, message by message. */
export async function work(): Promise<readonly string[]> {
  const consumer = new Consumer(options);
  const batch = await consumer.fetch();
  const names: string[] = [];
  for (const message of batch) {
    names.push(message.fields["name"] ?? message.id);
    message.ack();
  }
  await batch.settled();
  await consumer.close();
  return names;
}

/** One message. */
export async function produce(): Promise<string> {
  const producer = new Producer({ redis: "redis://localhost", stream: "orders" });
  const id: string = await producer.add({ name: "first" });
  await producer.close();
  return id;
}

// One class, whichever way it is loaded.
export const created: Consumer = create();

// Declarations that could not be resolved would be `any`, and allow this.
// @ts-expect-error batchSize is a number
export const wrong = (): unknown => new Consumer({ ...options, batchSize: "ten" });

// With exactOptionalPropertyTypes: an option may be given as undefined, as process.env has it.
type Unset<Options> = {
  [Name in keyof Options]: object extends Pick<Options, Name> ? Options[Name] | undefined : Options[Name];
};
export const unset = (given: Unset<ConsumerOptions>): ConsumerOptions => given;
