import type { Command } from "./command.ts";
import { decodeEntry, type StreamEntry } from "./entry.ts";
import { decodeArray } from "./reply.ts";

export interface XrangeOptions {
  readonly stream: string;
  /** First id, inclusive; `(id` is exclusive, `-` the very first. */
  readonly from: string;
  /** Last id, inclusive; `+` is the very last. */
  readonly to: string;
  readonly count: number;
}

/** `XRANGE key from to COUNT n` → one page of the stream, oldest first. A missing stream is an empty one. */
export const xrange: Command<XrangeOptions, readonly StreamEntry[]> = {
  name: "xrange",
  encode: ({ stream, from, to, count }) => [stream, from, to, "COUNT", count],
  decode: (reply) => decodeArray(reply, "XRANGE").map((entry) => decodeEntry(entry, "XRANGE")),
};
