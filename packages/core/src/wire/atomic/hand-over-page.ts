import { ReplyShapeError } from "../../errors/errors.ts";
import type { EntryId } from "../../names/entry-id.ts";
import { groupKey } from "../../names/keys.ts";
import { decodeArray, decodeInteger, decodeText } from "../reply.ts";
import type { Script } from "../script.ts";
import { encodeHandOver, type HandOverOptions, type HandOverRefusal, isHandOverRefusal } from "./hand-over.ts";

export interface HandOverPageOptions extends Omit<HandOverOptions, "ids"> {
  /** Only messages pending after this entry; `null` for the first page. */
  readonly after: EntryId | null;
  /** Messages per page, at most a few thousand. */
  readonly count: number;
}

/** The result for one page of an owner's pending list, or why nothing was moved. */
export type HandOverPage =
  | {
      readonly kind: "moved";
      readonly moved: number;
      /** Not moved: the owner's lease on them has not expired. */
      readonly recent: number;
      /** Had been deleted from the stream, and are no longer pending. */
      readonly trimmed: number;
      /** The last entry of the page; `null` if nothing is pending after it. */
      readonly lastId: EntryId | null;
    }
  | { readonly kind: "refused"; readonly why: HandOverRefusal };

/** Moves a page of a dead consumer's pending messages to a live one, or releases it; delivery counts stay. */
export const handOverPage: Script<HandOverPageOptions, HandOverPage> = {
  name: "handOverPage",
  keys: ({ stream, group }) => [stream, groupKey("consumers", stream, group)],
  encode: ({ after, count, ...options }) => [...encodeHandOver(options), after === null ? "-" : `(${after}`, count],
  decode(reply, { count }) {
    const [first, lastId, ...counts] = decodeArray(reply, "handOverPage");
    const word = decodeText(first, "handOverPage");
    if (isHandOverRefusal(word)) return { kind: "refused", why: word };
    if (word !== "moved") throw new ReplyShapeError("handOverPage: unknown answer");
    const last = decodeText(lastId, "handOverPage");
    const [moved, recent, trimmed] = counts;
    const page = {
      moved: decodeInteger(moved, "handOverPage"),
      recent: decodeInteger(recent, "handOverPage"),
      trimmed: decodeInteger(trimmed, "handOverPage"),
    };
    const isFull = page.moved + page.recent + page.trimmed >= count;
    return { kind: "moved", ...page, lastId: isFull ? last : null };
  },
};
