import type { EntryId } from "../../names/entry-id.ts";
import { groupKey } from "../../names/keys.ts";
import { decodeInteger } from "../reply.ts";
import type { Script } from "../script.ts";

export interface CountHangOptions {
  readonly stream: string;
  readonly group: string;
  readonly id: EntryId;
  /** How long a hang is remembered, in milliseconds. */
  readonly rememberMs: number;
}

/**
 * Counts that a handler hung on a message → 1 the first time, 2 if it hung before. Independent of deliveries. A call
 * whose reply was lost must not be repeated: it may have been counted.
 */
export const countHang: Script<CountHangOptions, number> = {
  name: "countHang",
  keys: ({ stream, group }) => [groupKey("hung", stream, group)],
  encode: ({ id, rememberMs }) => [id, rememberMs],
  decode: (reply) => decodeInteger(reply, "countHang"),
};
