import type { EntryId } from "../../names/entry-id.ts";
import { groupKey } from "../../names/keys.ts";
import { decodeArray, decodeInteger, decodeScore, decodeText } from "../reply.ts";
import type { Script } from "../script.ts";

export interface ReadDueOptions {
  readonly stream: string;
  readonly group: string;
  /** How many at most, 1,000 or fewer. */
  readonly limit: number;
  /** How many of the first are left out; none by default. */
  readonly skip?: number;
  /** Within how many milliseconds from now they are due; 0 by default: those whose time has come. */
  readonly withinMs?: number;
}

/** A message that was deferred, and when it may be offered again: milliseconds since 1970, by the server's clock. */
export interface DueTime {
  readonly id: EntryId;
  readonly atMs: number;
}

export interface ReadDueResult {
  /** Those whose time has come, or comes within that while, the earliest first. */
  readonly due: readonly DueTime[];
  /** How long until the next one that is not due yet, in milliseconds; `null` when there is none. */
  readonly nextInMs: number | null;
}

/** Reads which of the messages that were deferred may be offered again by now. Changes nothing. */
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
