import { CommandError, compareEntryIds, type EntryId, isEntryId } from "@redis-batch/core";

const MAX_PART = "18446744073709551615";

/** Where a range of ids begins or ends. */
export interface IdBound {
  readonly id: EntryId;
  readonly isExclusive: boolean;
}

/** Reads `-`, `id` and `(id`; an id without its second part is the first of its millisecond. */
export function parseFrom(text: string): IdBound {
  return text === "-" ? { id: "0-0", isExclusive: false } : parseBound(text, "0");
}

/** Reads `+`, `id` and `(id`; an id without its second part is the last of its millisecond. */
export function parseTo(text: string): IdBound {
  return text === "+" ? { id: `${MAX_PART}-${MAX_PART}`, isExclusive: false } : parseBound(text, MAX_PART);
}

export function isAtOrAfter(id: EntryId, { id: bound, isExclusive }: IdBound): boolean {
  const order = compareEntryIds(id, bound);
  return isExclusive ? order > 0 : order >= 0;
}

export function isAtOrBefore(id: EntryId, { id: bound, isExclusive }: IdBound): boolean {
  const order = compareEntryIds(id, bound);
  return isExclusive ? order < 0 : order <= 0;
}

function parseBound(text: string, missingPart: string): IdBound {
  const isExclusive = text.startsWith("(");
  const bare = isExclusive ? text.slice(1) : text;
  const id = bare.includes("-") ? bare : `${bare}-${missingPart}`;
  if (isEntryId(id)) return { id, isExclusive };
  const message = "ERR Invalid stream ID specified as stream command argument";
  throw new CommandError(message, { command: "stream", reply: "ERR" });
}
