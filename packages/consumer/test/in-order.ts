/** For tests of `orderBy`: messages named after their keys, and handlers that note what they have done. */
import type { ConsumerOptions, Handler, Message } from "../src/index.ts";
import type { Fields, Group } from "./liveness/group.ts";

/** The key of a message is the letter that its name begins with. */
export const orderBy = ({ fields }: Message<Fields>): string => fields["n"]?.[0] ?? "";
export const quick = {
  ...{ orderBy, batchSize: 5, maxWaitMs: 20, retry: { baseMs: 20, capMs: 50 } },
  ...{ leaseMs: 1_000, blockMs: 100, recoverEveryMs: 200, foreignIdleMs: 1_000 },
} satisfies Partial<ConsumerOptions<Fields>>;

export const nameOf = ({ fields }: Message<Fields>): string => fields["n"] ?? "";
export const ofKey = (key: string, names: readonly string[]): string[] => names.filter((name) => name.startsWith(key));
export const named = (key: string, count: number, from = 1): string[] =>
  Array.from({ length: count }, (_, at) => `${key}${from + at}`);

/** Acknowledges one message after the other, and notes it; what `attempt` says of a message comes first. */
export function inTurn(
  done: string[],
  attempt: (message: Message<Fields>) => unknown = () => undefined,
): Handler<Fields> {
  return async (batch) => {
    for (const message of batch) {
      const isSkipped = await attempt(message);
      if (isSkipped === true) continue;
      done.push(nameOf(message));
      message.ack();
    }
  };
}

/** Names by their key, in their order. */
export function byKeyOf(names: readonly string[]): Readonly<Record<string, readonly string[]>> {
  const keys = [...new Set(names.map((name) => name.charAt(0)))];
  return Object.fromEntries(keys.map((key) => [key, ofKey(key, names)]));
}

/** What is done of each key, in its order, once all is done. */
export async function finished(made: Group, done: readonly string[]): Promise<ReturnType<typeof byKeyOf>> {
  await made.finish(15_000);
  return byKeyOf(done);
}
