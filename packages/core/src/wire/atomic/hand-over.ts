import { ReplyShapeError } from "../../errors/errors.ts";
import type { EntryId } from "../../names/entry-id.ts";
import { groupKey } from "../../names/keys.ts";
import { RELEASED } from "../../names/reserved-consumers.ts";
import type { Argument } from "../command.ts";
import { decodeArray, decodeText } from "../reply.ts";
import type { ScriptInParts } from "../script.ts";
import { inStreamOrder, splitIds } from "./own-messages.ts";

export interface HandOverOptions {
  readonly stream: string;
  readonly group: string;
  readonly from: string;
  readonly to: string;
  /** Any number of them. */
  readonly ids: readonly EntryId[];
  /** Messages of an unregistered owner move only after this idle time, in milliseconds. */
  readonly foreignIdleMs: number;
  /** Whether the target may be a consumer that is not in the registry. `rb:released` always may. */
  readonly toUnregistered: boolean;
  /**
   * The owner's heartbeat time, if the caller has observed that it stopped: then the owner is dead as long as the
   * heartbeat has not changed, whatever its time, and its messages need no idle time. `null`, the default: heartbeat and
   * messages are judged by the server's clock.
   */
  readonly seenAtMs?: number | null | undefined;
}

/** Why nothing moved: the owner's heartbeat is fresh, or the target has none, or the target's is too old. */
export type HandOverRefusal = (typeof REFUSALS)[number];

const REFUSALS = ["owner-alive", "target-unknown", "target-silent"] as const;

export const isHandOverRefusal = (word: string | undefined): word is HandOverRefusal =>
  REFUSALS.some((refusal) => refusal === word);

export type HandOver =
  | { readonly kind: "moved"; readonly ids: readonly EntryId[] }
  | { readonly kind: "refused"; readonly why: HandOverRefusal };

/** The first arguments of both hand-over scripts. */
export function encodeHandOver(options: Omit<HandOverOptions, "ids">): Argument[] {
  const { group, from, to, foreignIdleMs, toUnregistered, seenAtMs } = options;
  const mayBeAnybody = toUnregistered || to === RELEASED;
  return [group, from, to, foreignIdleMs, mayBeAnybody ? "any" : "", seenAtMs ?? ""];
}

/** Moves pending messages of a dead consumer to a live one, or releases them; delivery counts stay. */
export const handOver: ScriptInParts<HandOverOptions, HandOver> = {
  name: "handOver",
  keys: ({ stream, group }) => [stream, groupKey("consumers", stream, group)],
  encode: ({ ids, ...options }) => [...encodeHandOver(options), ...inStreamOrder(ids)],
  decode(reply) {
    const [word, ...ids] = decodeArray(reply, "handOver").map((item) => decodeText(item, "handOver"));
    if (isHandOverRefusal(word)) return { kind: "refused", why: word };
    if (word !== "moved") throw new ReplyShapeError("handOver: unknown answer");
    return { kind: "moved", ids };
  },
  split: splitIds,
  // Messages that moved before a refusal stay moved.
  merge: (results) => {
    const ids = results.flatMap((result) => (result.kind === "moved" ? result.ids : []));
    const refusal = results.find(({ kind }) => kind === "refused");
    return refusal !== undefined && ids.length === 0 ? refusal : { kind: "moved", ids };
  },
};
