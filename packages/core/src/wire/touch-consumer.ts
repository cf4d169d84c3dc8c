import type { Command } from "./command.ts";

export interface TouchConsumerOptions {
  readonly stream: string;
  readonly group: string;
  readonly consumer: string;
}

// After every entry, so that nothing is delivered. Not the largest possible id: reading after that one returns nil.
const PAST_THE_END = "18446744073709551615";

/**
 * XREADGROUP past the end of the consumer's own pending list: delivers nothing, creates the name if it is missing, and
 * resets its idle time. Not replicated.
 */
export const touchConsumer: Command<TouchConsumerOptions, void> = {
  name: "xreadgroup",
  encode: ({ stream, group, consumer }) => ["GROUP", group, consumer, "COUNT", 1, "STREAMS", stream, PAST_THE_END],
  // An empty reply, which has several shapes.
  decode() {},
};
