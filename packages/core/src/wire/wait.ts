import type { Command } from "./command.ts";
import { decodeInteger } from "./reply.ts";

export interface WaitOptions {
  /** How many replicas are to have everything that this connection has written. */
  readonly count: number;
  /** How long to wait for them, in milliseconds. The server takes 0 for ever. */
  readonly timeoutMs: number;
}

/** `WAIT count timeout` → how many replicas have it: fewer than `count` if the time ran out first. */
export const wait: Command<WaitOptions, number> = {
  name: "wait",
  encode: ({ count, timeoutMs }) => [count, timeoutMs],
  decode: (reply) => decodeInteger(reply, "WAIT"),
};
