import { type Fields, fieldsCodec, rawCodec } from "../codecs/codec.ts";
import { type EntryId, isEntryId } from "../names/entry-id.ts";
import type { RawFields, StreamEntry } from "../wire/entry.ts";
import { decodeText } from "../wire/reply.ts";

/** What move-to-dead-letters.lua puts behind a message's own fields: always these names, always in this order. */
const HISTORY = ["dead.id", "dead.consumer", "dead.deliveries", "dead.reason", "dead.error", "dead.at"] as const;

interface LetterHistory {
  readonly entryId: EntryId;
  readonly consumer: string;
  readonly deliveries: number;
  readonly reason: string;
  readonly error: string;
  readonly at: Date;
}

/** One message in a group's dead letters, whole, with what became of it. Its payload is not in its JSON. */
export class DeadLetter {
  /** The letter's own id: by this it is redriven and discarded. */
  readonly id: EntryId;
  /** The message's id in the stream, where its entry may still be. */
  readonly entryId: EntryId;
  /** Who had it last. */
  readonly consumer: string;
  /** How often it had been delivered. */
  readonly deliveries: number;
  /** Why it was given up. The consumer writes `rejected`, `maxDeliveries` or `undecodable`. */
  readonly reason: string;
  /** What your code, or its error, said; `""` where it said nothing. */
  readonly error: string;
  /** When it was given up, by the server's clock. */
  readonly at: Date;
  readonly #raw: RawFields;
  #fields: Fields | undefined;

  /** @internal */
  constructor(id: EntryId, raw: RawFields, history: LetterHistory) {
    this.id = id;
    this.entryId = history.entryId;
    this.consumer = history.consumer;
    this.deliveries = history.deliveries;
    this.reason = history.reason;
    this.error = history.error;
    this.at = history.at;
    this.#raw = raw;
  }

  /** The message's fields as UTF-8 text, without a prototype; of several with one name, the last. */
  get fields(): Fields {
    this.#fields ??= fieldsCodec.decode(this.#raw);
    return this.#fields;
  }

  /** Every field and its value, byte for byte, in the order they were added, duplicates included. */
  *entries(): IterableIterator<readonly [name: Buffer, value: Buffer]> {
    yield* rawCodec.decode(this.#raw);
  }
}

/** Reads one entry of a dead-letter stream; `undefined` when it is none of ours. */
export function readLetter({ id, fields }: StreamEntry): DeadLetter | undefined {
  const size = fields.length - 2 * HISTORY.length;
  if (size < 2) return undefined;
  const values: string[] = [];
  for (const [index, name] of HISTORY.entries()) {
    if (String(fields[size + 2 * index]) !== name) return undefined;
    values.push(decodeText(fields[size + 2 * index + 1], "dead letter"));
  }
  const [entryId = "", consumer = "", deliveries = "", reason = "", error = "", at = ""] = values;
  const atMs = new Date(/^\d+$/.test(at) ? Number(at) : Number.NaN);
  if (!isEntryId(entryId) || !/^\d+$/.test(deliveries) || Number.isNaN(atMs.getTime())) return undefined;
  const history = { entryId, consumer, deliveries: Number(deliveries), reason, error, at: atMs };
  return new DeadLetter(id, fields.slice(0, size), history);
}
