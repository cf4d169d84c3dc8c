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
   * For `onlyIfSilent`: the consumer's heartbeat time, if the caller has observed that it stopped: then the consumer is
   * dead as long as the heartbeat has not changed, whatever its time. `null`, the default: its time decides.
   */
  readonly seenAtMs?: number | null | undefined;
  /** The final report of a consumer that removes itself, as in a heartbeat; default: none. */
  readonly finalReport?: FinalReport | undefined;
}

export interface FinalReport {
  readonly incarnation: string;
  readonly leaseMs: number;
  readonly details: HeartbeatDetails;
}

/**
 * `pending`: messages are pending for it, so it stays · `alive`: its heartbeat is fresh, so it stays · `reserved`: it is
 * `rb:released` or `rb:later`, which every group needs.
 */
export type Removal = (typeof REMOVALS)[number];

const REMOVALS = ["removed", "pending", "alive", "reserved"] as const;

/**
 * Removes a consumer from the group and the registry. A consumer with pending messages is never removed from the group;
 * one that removes itself is removed from the registry in any case.
 */
export const removeIfEmpty: Script<RemoveIfEmptyOptions, Removal> = {
  name: "removeIfEmpty",
  keys: ({ stream, group }) => [stream, groupKey("consumers", stream, group), groupKey("final-reports", stream, group)],
  encode: ({ group, consumer, onlyIfSilent, finalReport, seenAtMs }) => [
    ...[group, consumer, onlyIfSilent ? "silent" : ""],
    finalReport === undefined ? "" : encodeTold(finalReport),
    seenAtMs ?? "",
  ],
  decode(reply) {
    const word = decodeText(reply, "removeIfEmpty");
    const removal = REMOVALS.find((known) => known === word);
    if (removal !== undefined) return removal;
    throw new ReplyShapeError("removeIfEmpty: unknown answer");
  },
};

/** The same in the group alone: registry and final report are left to the caller. */
export const removeFromGroup: Script<RemoveIfEmptyOptions, Removal> = {
  ...removeIfEmpty,
  keys: ({ stream }) => [stream],
};
