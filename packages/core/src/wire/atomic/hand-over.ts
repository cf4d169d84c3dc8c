import type { EntryId } from "../../entry-id.ts";
import { ReplyShapeError } from "../../errors.ts";
import { groupKey } from "../../keys.ts";
import { decodeArray, decodeText } from "../reply.ts";
import type { Script } from "../script.ts";
import { inStreamOrder } from "./own-messages.ts";

export interface HandOverOptions {
  readonly stream: string;
  readonly group: string;
  readonly from: string;
  readonly to: string;
  readonly ids: readonly EntryId[];
  /** An unregistered owner's messages move only after so long without delivery, in milliseconds. */
  readonly foreignIdleMs: number;
  /** Whether the target may be a consumer that is not in the registry. */
  readonly toUnregistered: boolean;
}

/** Why nothing moved: the owner's heartbeat is fresh, or the target has none, or had its last one too long ago. */
export type HandOverRefusal = (typeof REFUSALS)[number];

const REFUSALS = ["owner-alive", "target-unknown", "target-silent"] as const;

export const isHandOverRefusal = (word: string | undefined): word is HandOverRefusal =>
  REFUSALS.some((refusal) => refusal === word);

export type HandOver =
  | { readonly kind: "moved"; readonly ids: readonly EntryId[] }
  | { readonly kind: "refused"; readonly why: HandOverRefusal };

/** Moves pending messages of a dead consumer to a living one; delivery counts stay. Nobody takes a live lease. */
export const handOver: Script<HandOverOptions, HandOver> = {
  name: "handOver",
  keys: ({ stream, group }) => [stream, groupKey("consumers", stream, group)],
  encode: ({ group, from, to, foreignIdleMs, toUnregistered, ids }) => [
    ...[group, from, to, foreignIdleMs, toUnregistered ? "any" : ""],
    ...inStreamOrder(ids),
  ],
  decode(reply) {
    const [word, ...ids] = decodeArray(reply, "handOver").map((item) => decodeText(item, "handOver"));
    if (isHandOverRefusal(word)) return { kind: "refused", why: word };
    if (word !== "moved") throw new ReplyShapeError("handOver: unknown answer");
    return { kind: "moved", ids };
  },
};
