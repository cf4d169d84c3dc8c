import type { Command } from "./command.ts";
import { decodeInteger } from "./reply.ts";

/** `UNLINK key …` → how many existed. In a Cluster all must share one slot. */
export const unlink: Command<{ readonly keys: readonly string[] }, number> = {
  name: "unlink",
  encode: ({ keys }) => [...keys],
  decode: (reply) => decodeInteger(reply, "UNLINK"),
};
