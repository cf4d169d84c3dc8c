import type { EntryId } from "../../names/entry-id.ts";
import { groupKey } from "../../names/keys.ts";
import { inParts } from "../parts.ts";
import { decodeInteger } from "../reply.ts";
import type { ScriptInParts } from "../script.ts";

export interface ScheduleLaterOptions {
  readonly stream: string;
  readonly group: string;
  /** Any number of messages, each with its delay from now, in milliseconds. */
  readonly delays: readonly { readonly id: EntryId; readonly delayMs: number }[];
}

/** Stores when deferred messages are due, by the server's clock. A message that has a due time gets the new one. */
export const scheduleLater: ScriptInParts<ScheduleLaterOptions, void> = {
  name: "scheduleLater",
  keys: ({ stream, group }) => [groupKey("due", stream, group)],
  encode: ({ delays }) => delays.flatMap(({ id, delayMs }) => [id, Math.ceil(delayMs)]),
  decode(reply) {
    decodeInteger(reply, "scheduleLater");
  },
  split: ({ delays, ...address }) => inParts(delays).map((part) => ({ ...address, delays: part })),
  merge() {},
};
