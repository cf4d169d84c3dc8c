import type { Command } from "./command.ts";
import { decodeText } from "./reply.ts";

export interface SetIfFreeOptions {
  readonly key: string;
  readonly value: string;
  /** The key expires after this time, in milliseconds. */
  readonly expireMs: number;
}

/** `SET key value NX PX ms` → whether the key did not exist, and was set. */
export const setIfFree: Command<SetIfFreeOptions, boolean> = {
  name: "set",
  encode: ({ key, value, expireMs }) => [key, value, "NX", "PX", expireMs],
  decode: (reply) => reply !== null && decodeText(reply, "SET") === "OK",
};
