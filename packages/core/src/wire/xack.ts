import type { EntryId } from "../names/entry-id.ts";
import { type Command, nameArgument } from "./command.ts";
import type { StreamEntry } from "./entry.ts";
import { LONGEST_ID_BULK, PackedEntry } from "./packed-entry.ts";
import { decodeInteger } from "./reply.ts";

export interface XackOptions {
  readonly stream: string;
  readonly group: string;
  /** Any number of ids, or of entries that have them. */
  readonly ids: readonly (EntryId | StreamEntry)[];
}

/** The id as text. */
export const idText = (id: EntryId | StreamEntry): EntryId => (typeof id === "string" ? id : id.id);

/**
 * `XACK key group id …` → how many of them were pending. A missing stream or group counts as 0, without an error.
 * Ownership is not checked.
 */
export const xack: Command<XackOptions, number> = {
  name: "xack",
  encode: ({ stream, group, ids }) => [stream, group, ...ids.map(idText)],
  decode: (reply) => decodeInteger(reply, "XACK"),
};

/**
 * The command as it goes over the wire, with the ids copied from the replies that brought the entries: no text is made of them.
 * `undefined`: some are not such entries.
 */
export function xackBytes({ stream, group, ids }: XackOptions): Buffer | undefined {
  const head = Buffer.concat([
    Buffer.from(`*${ids.length + 3}\r\n$4\r\n${xack.name}\r\n`),
    ...[stream, group].map((name) => bulk(Buffer.from(nameArgument(name)))),
  ]);
  const bytes = Buffer.allocUnsafe(head.length + ids.length * LONGEST_ID_BULK);
  let at = head.copy(bytes);
  for (const entry of ids) {
    if (!(entry instanceof PackedEntry)) return undefined;
    at = entry.copyId(bytes, at);
  }
  return bytes.subarray(0, at);
}

function bulk(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from("\r\n")]);
}
