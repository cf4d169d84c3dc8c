import type { Command } from "./command.ts";

export interface TouchConsumerOptions {
  readonly stream: string;
  readonly group: string;
  readonly consumer: string;
}

// Behind every entry, so that nothing is delivered. Not the greatest id there is: reading behind that one returns nil.
const PAST_THE_END = "18446744073709551615";

/**
 * XREADGROUP of the consumer's own pending list, past its end: delivers nothing, creates the name where it is missing,
 * and its idle time starts again. Not replicated.
 */
export const touchConsumer: Command<TouchConsumerOptions, void> = {
  name: "xreadgroup",
  encode: ({ stream, group, consumer }) => ["GROUP", group, consumer, "COUNT", 1, "STREAMS", stream, PAST_THE_END],
  // It says nothing, and in several ways.
  decode() {},
};
