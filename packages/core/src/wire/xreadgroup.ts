import type { Command } from "./command.ts";
import { decodeEntry, type StreamEntry } from "./entry.ts";
import { decodeArray } from "./reply.ts";

export interface XreadgroupOptions {
  readonly stream: string;
  readonly group: string;
  readonly consumer: string;
  /** Maximum number of entries. */
  readonly count: number;
  /** How long to wait for the first entry, in milliseconds; absent: does not wait. The server rounds up to 100 ms. */
  readonly blockMs?: number | undefined;
}

/** `XREADGROUP GROUP g c COUNT n [BLOCK ms] STREAMS key >` → the new entries, none when there are none. */
export const xreadgroup: Command<XreadgroupOptions, readonly StreamEntry[]> = {
  name: "xreadgroup",
  encode: ({ stream, group, consumer, count, blockMs }) => [
    ...["GROUP", group, consumer, "COUNT", count],
    ...(blockMs === undefined ? [] : ["BLOCK", blockMs]),
    ...["STREAMS", stream, ">"],
  ],
  decode(reply) {
    if (reply === null) return [];
    // RESP2: [[key, entries]]; RESP3: a map of key to entries.
    const streams = reply instanceof Map ? [...reply] : decodeArray(reply, "XREADGROUP");
    const [, entries] = decodeArray(streams[0], "XREADGROUP");
    return decodeArray(entries, "XREADGROUP").map((entry) => decodeEntry(entry, "XREADGROUP"));
  },
};
