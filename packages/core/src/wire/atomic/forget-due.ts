import { groupKey } from "../../names/keys.ts";
import { inParts } from "../parts.ts";
import { decodeInteger } from "../reply.ts";
import type { ScriptInParts } from "../script.ts";
import type { DueTime } from "./read-due.ts";

export interface ForgetDueOptions {
  readonly stream: string;
  readonly group: string;
  /** Any number of messages, each with its last known due time. */
  readonly due: readonly DueTime[];
}

/** Drops the due times of messages that are no longer deferred → how many. A message with a new due time keeps it. */
export const forgetDue: ScriptInParts<ForgetDueOptions, number> = {
  name: "forgetDue",
  keys: ({ stream, group }) => [groupKey("due", stream, group)],
  encode: ({ due }) => due.flatMap(({ id, atMs }) => [id, atMs]),
  decode: (reply) => decodeInteger(reply, "forgetDue"),
  split: ({ due, ...address }) => inParts(due).map((part) => ({ ...address, due: part })),
  merge: (results) => results.reduce((sum, count) => sum + count, 0),
};
