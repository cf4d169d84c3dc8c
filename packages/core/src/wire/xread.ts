import type { EntryId } from "../names/entry-id.ts";
import type { Command } from "./command.ts";
import { decodeArray, decodeText } from "./reply.ts";

export interface XreadOptions {
  /** Behind which id to look, by stream. */
  readonly positions: ReadonlyMap<string, EntryId>;
  /** How long to wait for the first entry, in milliseconds; absent: does not wait. */
  readonly blockMs?: number | undefined;
}

/** `XREAD COUNT 1 [BLOCK ms] STREAMS key … id …` → the streams that have entries behind the id. Delivers nothing. */
export const xread: Command<XreadOptions, readonly string[]> = {
  name: "xread",
  encode: ({ positions, blockMs }) => [
    ...["COUNT", 1],
    ...(blockMs === undefined ? [] : ["BLOCK", blockMs]),
    ...["STREAMS", ...positions.keys(), ...positions.values()],
  ],
  decode(reply) {
    if (reply === null) return [];
    // RESP2: [[key, entries], …]; RESP3: a map of key to entries.
    if (reply instanceof Map) return [...reply.keys()].map((stream) => decodeText(stream, "XREAD"));
    return decodeArray(reply, "XREAD").map((one) => decodeText(decodeArray(one, "XREAD")[0], "XREAD"));
  },
};
