import type { EntryId } from "../../names/entry-id.ts";
import { groupKey } from "../../names/keys.ts";
import { decodeArray, decodeInteger, decodeText } from "../reply.ts";
import type { Script } from "../script.ts";

export interface AdoptPendingOptions {
  /** The partition's stream. */
  readonly stream: string;
  readonly group: string;
  readonly member: string;
  /** The token of the member's ownership. */
  readonly token: number;
  /** Begin behind this message; `null`: at the beginning. */
  readonly after: EntryId | null;
  /** How many messages to examine, at most 1,000. */
  readonly count: number;
}

/** `null`: the member does not own the partition any more, and nothing was taken. */
export type AdoptedPage = {
  readonly adopted: number;
  /** Where the next page begins; `null` at the end of the list. */
  readonly next: EntryId | null;
} | null;

/** Takes over what is pending in a partition's group under other names, but for deferred messages. */
export const adoptPending: Script<AdoptPendingOptions, AdoptedPage> = {
  name: "adoptPending",
  keys: ({ stream, group }) => [stream, groupKey("owner", stream, group)],
  encode: ({ group, member, token, after, count }) => [group, member, token, after === null ? "-" : `(${after}`, count],
  decode(reply) {
    const [isHeld, adopted, next] = decodeArray(reply, "adoptPending");
    if (decodeInteger(isHeld, "adoptPending") !== 1) return null;
    const nextId = decodeText(next, "adoptPending");
    return { adopted: decodeInteger(adopted, "adoptPending"), next: nextId === "" ? null : nextId };
  },
};
