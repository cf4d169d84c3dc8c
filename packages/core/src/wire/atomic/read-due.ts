import type { EntryId } from "../../names/entry-id.ts";
import { groupKey } from "../../names/keys.ts";
import { decodeArray, decodeInteger, decodeScore, decodeText } from "../reply.ts";
import type { Script } from "../script.ts";

export interface ReadDueOptions {
  readonly stream: string;
  readonly group: string;
  /** Maximum number, up to 1,000. */
  readonly limit: number;
  /** How many to skip at the start; default: none. */
  readonly skip?: number;
  /** Messages due within this many milliseconds; default 0: only those that are due now. */
  readonly withinMs?: number;
}

/** A deferred message, and when it is due: milliseconds since 1970, by the server's clock. */
export interface DueTime {
  readonly id: EntryId;
  readonly atMs: number;
}

export interface ReadDueResult {
  /** The messages that are due, or will be within that time, earliest first. */
  readonly due: readonly DueTime[];
  /** Time until the next one is due, in milliseconds; `null` if there is none. */
  readonly nextInMs: number | null;
}

/** Reads which deferred messages are due. Changes nothing. */
export const readDue: Script<ReadDueOptions, ReadDueResult> = {
  name: "readDue",
  keys: ({ stream, group }) => [groupKey("due", stream, group)],
  encode: ({ limit, skip = 0, withinMs = 0 }) => [limit, skip, withinMs],
  decode(reply) {
    const [due, next] = decodeArray(reply, "readDue");
    const items = decodeArray(due, "readDue");
    const times: DueTime[] = [];
    for (let index = 0; index < items.length; index += 2) {
      times.push({ id: decodeText(items[index], "readDue"), atMs: decodeScore(items[index + 1], "readDue") });
    }
    return { due: times, nextInMs: decodeText(next, "readDue") === "" ? null : decodeInteger(next, "readDue") };
  },
};
