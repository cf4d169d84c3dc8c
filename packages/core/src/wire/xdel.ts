import type { EntryId } from "../names/entry-id.ts";
import type { Command } from "./command.ts";
import { decodeInteger } from "./reply.ts";

/** `XDEL key id …` → how many were there. Pending lists keep the ids: see `trimmed` in the atomic operations. */
export const xdel: Command<{ readonly stream: string; readonly ids: readonly EntryId[] }, number> = {
  name: "xdel",
  encode: ({ stream, ids }) => [stream, ...ids],
  decode: (reply) => decodeInteger(reply, "XDEL"),
};
