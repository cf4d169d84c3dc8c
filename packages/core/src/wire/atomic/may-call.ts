import type { Argument } from "../command.ts";
import { decodeArray, decodeInteger } from "../reply.ts";
import type { Script } from "../script.ts";

export interface MayCallOptions {
  /** Complete commands, which are not executed. The server also checks their keys. */
  readonly commands: readonly (readonly Argument[])[];
}

/** Which of these commands the server knows and this user may run; `null` if the server cannot tell. Logs no refusals. */
export const mayCall: Script<MayCallOptions, readonly boolean[] | null> = {
  name: "mayCall",
  keys: () => [],
  encode: ({ commands }) => commands.flatMap((words) => [words.length, ...words]),
  decode: (reply) =>
    reply === null ? null : decodeArray(reply, "mayCall").map((item) => decodeInteger(item, "mayCall") === 1),
};
