import { ReplyShapeError } from "../errors/errors.ts";
import type { EntryId } from "../names/entry-id.ts";
import { decodeArray, decodeBytes, decodeText } from "./reply.ts";

/** The raw fields of an entry: name, value, name, value … byte for byte, in the order they were added. */
export type RawFields = readonly Buffer[];

/** One entry of a stream, as the server sent it. */
export interface StreamEntry {
  readonly id: EntryId;
  readonly fields: RawFields;
}

/** Entries of one stream. */
export interface StreamEntries {
  readonly stream: string;
  readonly entries: readonly StreamEntry[];
}

/** `[id, [name, value, …]]`. */
export function decodeEntry(reply: unknown, what: string): StreamEntry {
  const [id, fields] = decodeArray(reply, what);
  return { id: decodeText(id, what), fields: decodeFields(fields, what) };
}

export function decodeFields(reply: unknown, what: string): RawFields {
  const items = decodeArray(reply, what);
  if (items.length % 2 !== 0) throw new ReplyShapeError(`${what}: an entry with ${items.length} fields and values`);
  return items.map((item) => decodeBytes(item, what));
}
