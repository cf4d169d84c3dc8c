import type { Command } from "./command.ts";
import { decodeInteger } from "./reply.ts";

/** `XLEN key` → how many entries the stream holds; 0 when it does not exist. */
export const xlen: Command<{ readonly stream: string }, number> = {
  name: "xlen",
  encode: ({ stream }) => [stream],
  decode: (reply) => decodeInteger(reply, "XLEN"),
};
