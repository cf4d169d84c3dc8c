import type { EntryId } from "../names/entry-id.ts";
import { type Argument, type Command, nameArgument } from "./command.ts";
import { decodeText } from "./reply.ts";

/** What XADD and XTRIM drop from the old end of a stream, read or unread. */
export interface Trim {
  /** `maxLen`: keep the newest so many. `minId`: keep what is not older than this id. */
  readonly strategy: "maxLen" | "minId";
  readonly threshold: number | EntryId;
  /** Approximate trimming drops whole nodes only: much cheaper, and up to about a hundred entries more are kept. */
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
  // Many are written past the place where all other names are looked at.
  encode: ({ stream, fields, trim }) => [
    nameArgument(stream),
    ...(trim === undefined ? [] : encodeTrim(trim)),
    "*",
    ...fields,
  ],
  decode: (reply) => decodeText(reply, "XADD"),
};

export function encodeTrim({ strategy, threshold, approximate }: Trim): Argument[] {
  return [strategy === "maxLen" ? "MAXLEN" : "MINID", approximate ? "~" : "=", threshold];
}
