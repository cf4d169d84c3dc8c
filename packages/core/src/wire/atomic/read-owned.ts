import type { EntryId } from "../../names/entry-id.ts";
import { groupKey } from "../../names/keys.ts";
import { decodeEntry, type StreamEntry } from "../entry.ts";
import { decodeArray, decodeInteger, decodeText } from "../reply.ts";
import type { Script } from "../script.ts";

export interface ReadOwnedOptions {
  /** The partition's stream. */
  readonly stream: string;
  readonly group: string;
  readonly member: string;
  /** The token of the member's ownership. */
  readonly token: number;
  /** Maximum number of messages. */
  readonly count: number;
}

/** `null`: the member does not own the partition any more, and nothing was read. */
export type OwnedRead = {
  readonly entries: readonly StreamEntry[];
  /** Behind which id the next message of the group will be; `null` if there were messages. */
  readonly position: EntryId | null;
} | null;

/** Reads new messages of a partition, if the member owns it. Does not wait. */
export const readOwned: Script<ReadOwnedOptions, OwnedRead> = {
  name: "readOwned",
  keys: ({ stream, group }) => [stream, groupKey("owner", stream, group)],
  encode: ({ group, member, token, count }) => [group, member, token, count],
  decode(reply) {
    const [isHeld, entries, position] = decodeArray(reply, "readOwned");
    if (decodeInteger(isHeld, "readOwned") !== 1) return null;
    const last = decodeText(position, "readOwned");
    return {
      entries: decodeArray(entries, "readOwned").map((entry) => decodeEntry(entry, "readOwned")),
      position: last === "" ? null : last,
    };
  },
};
