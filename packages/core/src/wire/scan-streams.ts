import type { Command } from "./command.ts";
import { decodeArray, decodeText } from "./reply.ts";

export interface ScanStreamsOptions {
  /** Where the page before ended; absent for the first. */
  readonly cursor?: string | undefined;
  /** A glob that the names must match. */
  readonly match?: string | undefined;
  /** About how many keys of any type the server looks at. A page may have fewer streams, or none. */
  readonly count: number;
}

export interface StreamPage {
  readonly names: readonly string[];
  /** `null` after the last page. A name may come twice. */
  readonly cursor: string | null;
}

/** `SCAN cursor [MATCH glob] COUNT n TYPE stream` → names of streams, one page of a server's. */
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
