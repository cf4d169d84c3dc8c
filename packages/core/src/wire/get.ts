import type { Command } from "./command.ts";
import { decodeText } from "./reply.ts";

/** `GET key` → its text; `null`: there is none. */
export const get: Command<{ readonly key: string }, string | null> = {
  name: "get",
  encode: ({ key }) => [key],
  decode: (reply) => (reply === null ? null : decodeText(reply, "GET")),
};
