import { groupKey } from "../../names/keys.ts";
import { inParts } from "../parts.ts";
import { decodeInteger } from "../reply.ts";
import type { ScriptInParts } from "../script.ts";
import type { DueTime } from "./read-due.ts";

export interface ForgetDueOptions {
  readonly stream: string;
  readonly group: string;
  /** Any number of messages, each with the time that was seen. */
  readonly due: readonly DueTime[];
}

/** Drops the times of messages that are not defer any more → how many. One that has another time by now keeps it. */
export const forgetDue: ScriptInParts<ForgetDueOptions, number> = {
  name: "forgetDue",
  keys: ({ stream, group }) => [groupKey("due", stream, group)],
  encode: ({ due }) => due.flatMap(({ id, atMs }) => [id, atMs]),
  decode: (reply) => decodeInteger(reply, "forgetDue"),
  split: ({ due, ...address }) => inParts(due).map((part) => ({ ...address, due: part })),
  merge: (results) => results.reduce((sum, count) => sum + count, 0),
};
