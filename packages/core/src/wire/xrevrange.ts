import type { Command } from "./command.ts";
import type { StreamEntry } from "./entry.ts";
import { type XrangeOptions, xrange } from "./xrange.ts";

/** `XREVRANGE key to from COUNT n` → the same as {@link xrange} from the other end, newest first. */
export const xrevrange: Command<XrangeOptions, readonly StreamEntry[]> = {
  name: "xrevrange",
  encode: ({ stream, from, to, count }) => [stream, to, from, "COUNT", count],
  decode: (reply, options) => xrange.decode(reply, options),
};
