import type { EntryId } from "../names/entry-id.ts";
import type { Command } from "./command.ts";
import type { StreamEntry } from "./entry.ts";
import { decodeInteger } from "./reply.ts";

export interface XackOptions {
  readonly stream: string;
  readonly group: string;
  /** Any number of ids, or of entries that have them. */
  readonly ids: readonly (EntryId | StreamEntry)[];
}

/** The id as text. */
export const idText = (id: EntryId | StreamEntry): EntryId => (typeof id === "string" ? id : id.id);

/**
 * `XACK key group id …` → how many of them were pending. A missing stream or group counts as 0, without an error.
 * Ownership is not checked.
 */
export const xack: Command<XackOptions, number> = {
  name: "xack",
  encode: ({ stream, group, ids }) => [stream, group, ...ids.map(idText)],
  decode: (reply) => decodeInteger(reply, "XACK"),
};
