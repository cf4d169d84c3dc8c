import { ReplyShapeError } from "../../errors/errors.ts";
import { groupKey } from "../../names/keys.ts";
import { decodeText } from "../reply.ts";
import type { Script } from "../script.ts";
import { encodeTold, type HeartbeatDetails } from "./heartbeat.ts";

export interface RemoveIfEmptyOptions {
  readonly stream: string;
  readonly group: string;
  readonly consumer: string;
  /** Whether a fresh heartbeat forbids the removal: yes for others, no for a consumer that removes itself. */
  readonly onlyIfSilent: boolean;
  /**
   * For `onlyIfSilent`, the time of its heartbeat that the caller has watched stand still: it is dead as long as that has
   * not moved, whatever the date. `null`, the default: its date tells.
   */
  readonly seenAtMs?: number | null | undefined;
  /** What one that removes itself tells for the last time, as in a heartbeat; default: nothing. */
  readonly farewell?: FinalReport | undefined;
}

export interface FinalReport {
  readonly incarnation: string;
  readonly leaseMs: number;
  readonly details: HeartbeatDetails;
}

/**
 * `pending`: messages are pending for it, so it stays · `alive`: its heartbeat is fresh, so it stays · `reserved`: it is
 * `rb:released` or `rb:later`, which no group can do without.
 */
export type Removal = (typeof REMOVALS)[number];

const REMOVALS = ["removed", "pending", "alive", "reserved"] as const;

/**
 * Removes a consumer from group and registry; from the group never one that still has pending messages. One that
 * removes itself leaves the registry in any case.
 */
export const removeIfEmpty: Script<RemoveIfEmptyOptions, Removal> = {
  name: "removeIfEmpty",
  keys: ({ stream, group }) => [stream, groupKey("consumers", stream, group), groupKey("final-reports", stream, group)],
  encode: ({ group, consumer, onlyIfSilent, farewell, seenAtMs }) => [
    ...[group, consumer, onlyIfSilent ? "silent" : ""],
    farewell === undefined ? "" : encodeTold(farewell),
    seenAtMs ?? "",
  ],
  decode(reply) {
    const word = decodeText(reply, "removeIfEmpty");
    const removal = REMOVALS.find((known) => known === word);
    if (removal !== undefined) return removal;
    throw new ReplyShapeError("removeIfEmpty: unknown answer");
  },
};
