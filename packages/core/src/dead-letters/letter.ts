import { type Fields, fieldsCodec, rawCodec } from "../codecs/codec.ts";
import { type EntryId, isEntryId } from "../names/entry-id.ts";
import { encodePlacedId } from "../names/placed-id.ts";
import type { RawFields, StreamEntry } from "../wire/entry.ts";
import { decodeText } from "../wire/reply.ts";
import { decodeTraceContext, ownFields, type TraceContext } from "../wire/trace-context.ts";

/** The fields that move-to-dead-letters.lua appends to a message's own: always these names, in this order. */
const HISTORY = ["dead.id", "dead.consumer", "dead.deliveries", "dead.reason", "dead.error", "dead.at"] as const;

/**
 * Names one dead letter of a group: an id such as `1700000000000-0`, in a stream with partitions with its partition in front, such
 * as `3/1700000000000-0`.
 */
export type LetterId = string;

interface LetterHistory {
  readonly entryId: EntryId;
  readonly consumer: string;
  readonly deliveries: number;
  readonly reason: string;
  readonly error: string;
  readonly at: Date;
}

const WHOLE = new WeakMap<DeadLetter, RawFields>();

/** All fields of the message as Redis has them, with the context of its trace: what to add it again with. */
export const wholeFieldsOf = (letter: DeadLetter): RawFields => WHOLE.get(letter) ?? [];

/** One dead letter of a group: the complete message, with its history. Its JSON does not contain the payload. */
export class DeadLetter {
  /** The id of the dead letter, used to redrive and discard it. In a stream with partitions its partition is in front. */
  readonly id: LetterId;
  /** The partition that the message is in; `null`: the stream has none. */
  readonly partition: number | null;
  /** The message's id in the stream, or in its partition, where its entry may still exist. */
  readonly entryId: EntryId;
  /** The consumer that held it last. */
  readonly consumer: string;
  /** The number of deliveries. */
  readonly deliveries: number;
  /** Why it was dead-lettered. The consumer writes `rejected`, `maxDeliveries` or `undecodable`. */
  readonly reason: string;
  /** The reason that your code gave, or the message of its error; `""` if there is none. */
  readonly error: string;
  /** When it was dead-lettered, by the server's clock. */
  readonly at: Date;
  readonly #raw: RawFields;
  readonly #traceContext: TraceContext | undefined;
  #fields: Fields | undefined;

  /** @internal */
  constructor(id: EntryId, raw: RawFields, history: LetterHistory, partition: number | null = null) {
    this.id = encodePlacedId({ partition, id });
    this.partition = partition;
    this.entryId = history.entryId;
    this.consumer = history.consumer;
    this.deliveries = history.deliveries;
    this.reason = history.reason;
    this.error = history.error;
    this.at = history.at;
    this.#traceContext = decodeTraceContext(raw);
    this.#raw = ownFields(raw);
    WHOLE.set(this, raw);
  }

  /** The message's fields as UTF-8 text, without a prototype. If a name repeats, the last value counts. */
  get fields(): Fields {
    this.#fields ??= fieldsCodec.decode(this.#raw);
    return this.#fields;
  }

  /** The trace that the message belongs to; `undefined` if its producer wrote none. */
  get traceContext(): TraceContext | undefined {
    return this.#traceContext;
  }

  /** Every field name and value as raw bytes, in their original order, including duplicates. */
  *entries(): IterableIterator<readonly [name: Buffer, value: Buffer]> {
    yield* rawCodec.decode(this.#raw);
  }
}

/** The pairs that stand behind the message's own fields, as `readLetter` reads them. */
export function encodeHistory(history: Omit<LetterHistory, "at"> & { readonly atMs: number }): readonly string[] {
  const { entryId, consumer, deliveries, reason, error, atMs } = history;
  const values = [entryId, consumer, String(deliveries), reason, error, String(atMs)];
  return HISTORY.flatMap((name, index) => [name, values[index] ?? ""]);
}

/**
 * Reads one entry of a dead-letter stream; `undefined` if Redis Batch did not write it.
 *
 * @param partition the one that it is of
 */
export function readLetter({ id, fields }: StreamEntry, partition: number | null = null): DeadLetter | undefined {
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
  return new DeadLetter(id, fields.slice(0, size), history, partition);
}
