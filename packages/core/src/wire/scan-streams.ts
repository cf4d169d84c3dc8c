import type { Command } from "./command.ts";
import { decodeArray, decodeText } from "./reply.ts";

export interface ScanStreamsOptions {
  /** Where the previous page ended; absent for the first. */
  readonly cursor?: string | undefined;
  /** A glob that the names must match. */
  readonly match?: string | undefined;
  /** Approximate number of keys of any type that the server examines. A page may have fewer streams, or none. */
  readonly count: number;
}

export interface StreamPage {
  readonly names: readonly string[];
  /** `null` after the last page. A name may occur twice. */
  readonly cursor: string | null;
}

/** `SCAN cursor [MATCH glob] COUNT n TYPE stream` → names of streams, one page from one server. */
export const scanStreams: Command<ScanStreamsOptions, StreamPage> = {
  name: "scan",
  encode: ({ cursor = "0", match, count }) => [
    cursor,
    ...(match === undefined ? [] : ["MATCH", match]),
    ...["COUNT", count, "TYPE", "stream"],
  ],
  decode(reply) {
    const [cursor, names] = decodeArray(reply, "SCAN");
    const next = decodeText(cursor, "SCAN");
    return {
      names: decodeArray(names, "SCAN").map((name) => decodeText(name, "SCAN")),
      cursor: next === "0" ? null : next,
    };
  },
};
