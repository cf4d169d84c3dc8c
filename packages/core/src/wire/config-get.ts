import type { Command } from "./command.ts";
import { decodeNamed, decodeText } from "./reply.ts";

/** `CONFIG GET name …` → the values of these settings; none of one that the server does not know. */
export const configGet: Command<{ readonly names: readonly string[] }, ReadonlyMap<string, string>> = {
  name: "config",
  encode: ({ names }) => ["GET", ...names],
  decode: (reply) =>
    new Map([...decodeNamed(reply, "CONFIG GET")].map(([name, value]) => [name, decodeText(value, "CONFIG GET")])),
};
