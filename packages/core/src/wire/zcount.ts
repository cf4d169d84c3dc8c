import type { Command } from "./command.ts";
import { decodeInteger } from "./reply.ts";

/** ZCOUNT key -inf max → how many members have a score of `max` or less. */
export const zcount: Command<{ readonly key: string; readonly max: number }, number> = {
  name: "zcount",
  encode: ({ key, max }) => [key, "-inf", max],
  decode: (reply) => decodeInteger(reply, "ZCOUNT"),
};
