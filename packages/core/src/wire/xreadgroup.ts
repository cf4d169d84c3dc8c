import type { Command } from "./command.ts";
import { decodeEntry, type StreamEntries } from "./entry.ts";
import { decodeArray, decodeText } from "./reply.ts";

export interface XreadgroupOptions {
  readonly stream: string;
  readonly group: string;
  readonly consumer: string;
  /** Maximum number of entries. */
  readonly count: number;
  /** How long to wait for the first entry, in milliseconds; absent: does not wait. The server rounds up to 100 ms. */
  readonly blockMs?: number | undefined;
}

/** A read of several streams that have a group of this name. */
export interface XreadgroupManyOptions extends Omit<XreadgroupOptions, "stream" | "count"> {
  readonly streams: readonly string[];
  /** Maximum number of entries of each stream. */
  readonly count: number;
}

/** `XREADGROUP GROUP g c COUNT n [BLOCK ms] STREAMS key … > …` → the new entries of each stream that has some. */
export const xreadgroup: Command<XreadgroupManyOptions, readonly StreamEntries[]> = {
  name: "xreadgroup",
  encode: ({ streams, group, consumer, count, blockMs }) => [
    ...["GROUP", group, consumer, "COUNT", count],
    ...(blockMs === undefined ? [] : ["BLOCK", blockMs]),
    ...["STREAMS", ...streams, ...streams.map(() => ">")],
  ],
  decode(reply) {
    if (reply === null) return [];
    // RESP2: [[key, entries], …]; RESP3: a map of key to entries.
    const streams = reply instanceof Map ? [...reply] : decodeArray(reply, "XREADGROUP");
    return streams.map((one) => {
      const [stream, entries] = decodeArray(one, "XREADGROUP");
      return {
        stream: decodeText(stream, "XREADGROUP"),
        entries: decodeArray(entries, "XREADGROUP").map((entry) => decodeEntry(entry, "XREADGROUP")),
      };
    });
  },
};
