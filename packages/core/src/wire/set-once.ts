import type { Command } from "./command.ts";
import { decodeText } from "./reply.ts";

export interface SetOnceOptions {
  readonly key: string;
  readonly value: string;
}

/** `SET key value NX GET` → what the key had before, and keeps; `null`: nothing, and it has the value now. */
export const setOnce: Command<SetOnceOptions, string | null> = {
  name: "set",
  encode: ({ key, value }) => [key, value, "NX", "GET"],
  decode: (reply) => (reply === null ? null : decodeText(reply, "SET")),
};
