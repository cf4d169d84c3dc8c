import type { Command } from "./command.ts";
import { decodeInteger } from "./reply.ts";
import { encodeTrim, type Trim } from "./xadd.ts";

/** `XTRIM key MAXLEN|MINID [~] threshold` → how many entries were deleted. */
export const xtrim: Command<{ readonly stream: string; readonly trim: Trim }, number> = {
  name: "xtrim",
  encode: ({ stream, trim }) => [stream, ...encodeTrim(trim)],
  decode: (reply) => decodeInteger(reply, "XTRIM"),
};
