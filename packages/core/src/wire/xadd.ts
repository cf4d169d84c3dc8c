import type { EntryId } from "../names/entry-id.ts";
import { type Argument, type Command, nameArgument } from "./command.ts";
import { decodeText } from "./reply.ts";

/** Which old entries XADD deletes, read or unread. */
export interface Trim {
  /** `maxLen`: keep this many of the newest entries. `minId`: keep entries from this id on. */
  readonly strategy: "maxLen" | "minId";
  readonly threshold: number | EntryId;
  /** Approximate trimming deletes only whole nodes: much cheaper, but keeps up to about a hundred entries more. */
  readonly approximate: boolean;
}

export interface XaddOptions {
  readonly stream: string;
  /** Name, value, name, value … at least one pair. */
  readonly fields: readonly Argument[];
  readonly trim?: Trim | undefined;
}

/** `XADD key [MAXLEN|MINID [~] threshold] * field value …` → the new entry's id. */
export const xadd: Command<XaddOptions, EntryId> = {
  name: "xadd",
  // Many adds bypass the place that converts all other names.
  encode: ({ stream, fields, trim }) => [
    nameArgument(stream),
    ...(trim === undefined ? [] : encodeTrim(trim)),
    "*",
    ...fields,
  ],
  decode: (reply) => decodeText(reply, "XADD"),
};

function encodeTrim({ strategy, threshold, approximate }: Trim): Argument[] {
  return [strategy === "maxLen" ? "MAXLEN" : "MINID", approximate ? "~" : "=", threshold];
}
