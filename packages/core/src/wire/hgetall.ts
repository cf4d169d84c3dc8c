import type { Command } from "./command.ts";
import { decodeNamed, decodeText } from "./reply.ts";

/** `HGETALL key` → the fields of a hash as text; none when it does not exist. */
export const hgetall: Command<{ readonly key: string }, ReadonlyMap<string, string>> = {
  // In lower case ioredis would turn the reply into an object, in which a field "__proto__" is not an ordinary name.
  name: "HGETALL",
  encode: ({ key }) => [key],
  decode: (reply) =>
    new Map([...decodeNamed(reply, "HGETALL")].map(([name, value]) => [name, decodeText(value, "HGETALL")])),
};
