import type { EntryId } from "../names/entry-id.ts";
import type { Command } from "./command.ts";
import { decodeInteger, decodeText } from "./reply.ts";

/** `start`: everything the stream still holds · `end`: only what is added from now on · an id: everything after it. */
export type GroupPosition = "start" | "end" | EntryId;

export interface XgroupCreateOptions {
  readonly stream: string;
  readonly group: string;
  readonly position: GroupPosition;
}

/** `XGROUP CREATE key group id MKSTREAM`. Fails with BUSYGROUP if the group exists. */
export const xgroupCreate: Command<XgroupCreateOptions, void> = {
  name: "xgroup",
  encode: ({ stream, group, position }) => ["CREATE", stream, group, encodePosition(position), "MKSTREAM"],
  decode: (reply) => void decodeText(reply, "XGROUP CREATE"),
};

/** `XGROUP SETID key group id` → nothing. The pending list is unchanged. A missing group is an error of the server. */
export const xgroupSetId: Command<XgroupCreateOptions, void> = {
  name: "xgroup",
  encode: ({ stream, group, position }) => ["SETID", stream, group, encodePosition(position)],
  decode: (reply) => void decodeText(reply, "XGROUP SETID"),
};

/** `XGROUP DESTROY key group` → whether it existed. Its pending list is deleted with it. */
export const xgroupDestroy: Command<{ readonly stream: string; readonly group: string }, boolean> = {
  name: "xgroup",
  encode: ({ stream, group }) => ["DESTROY", stream, group],
  decode: (reply) => decodeInteger(reply, "XGROUP DESTROY") === 1,
};

export interface XgroupCreateConsumerOptions {
  readonly stream: string;
  readonly group: string;
  readonly consumer: string;
}

/** `XGROUP CREATECONSUMER key group consumer` → whether it is new. Unlike an empty read, this is replicated. */
export const xgroupCreateConsumer: Command<XgroupCreateConsumerOptions, boolean> = {
  name: "xgroup",
  encode: ({ stream, group, consumer }) => ["CREATECONSUMER", stream, group, consumer],
  decode: (reply) => decodeInteger(reply, "XGROUP CREATECONSUMER") === 1,
};

function encodePosition(position: GroupPosition): string {
  return position === "start" ? "0" : position === "end" ? "$" : position;
}
