import type { Command } from "./command.ts";
import { decodeInteger } from "./reply.ts";

/** `HDEL key field` → whether it was there. */
export const hdel: Command<{ readonly key: string; readonly field: string }, boolean> = {
  name: "hdel",
  encode: ({ key, field }) => [key, field],
  decode: (reply) => decodeInteger(reply, "HDEL") === 1,
};
