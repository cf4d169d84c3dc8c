import type { Command } from "./command.ts";
import { decodeArray } from "./reply.ts";

/** `COMMAND INFO name …` → whether the server knows each of them. */
export const commandInfo: Command<{ readonly names: readonly string[] }, readonly boolean[]> = {
  name: "command",
  encode: ({ names }) => ["INFO", ...names],
  decode: (reply) => decodeArray(reply, "COMMAND INFO").map((item) => Array.isArray(item) && item.length > 0),
};
