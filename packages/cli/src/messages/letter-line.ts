/** Dead letters as lines of NDJSON: what `dead-letters export` prints, and `import` reads. */
import { type DeadLetter, isEntryId } from "@redis-batch/core";
import { encodeHistory, parsePlacedId, wholeFieldsOf } from "@redis-batch/core/internal/messages";
import { encodeJson } from "../render/escape.ts";
import { encodeFields, parseMessageLine } from "./message-line.ts";

export function letterLine(letter: DeadLetter): string {
  const { id, entryId, reason, error, deliveries, consumer } = letter;
  const history = { id, entryId, at: letter.at.toISOString(), reason, error, deliveries, consumer };
  return `${encodeJson({ ...history, fields: encodeFields(wholeFieldsOf(letter)) })}\n`;
}

export type ReadLetterLine =
  | {
      readonly kind: "letter";
      readonly fields: readonly (string | Buffer)[];
      /** The partition that it was in; `null`: it names none. */
      readonly partition: number | null;
    }
  | { readonly kind: "malformed"; readonly why: string };

/** Reads a line that is not blank → the fields of the entry, the history behind the message's own. */
export function parseLetterLine(line: string): ReadLetterLine {
  const message = parseMessageLine(line, { format: "ndjson" });
  if (message.kind === "malformed") return message;
  const { id, fields, entryId, at, reason, error, deliveries, consumer } = JSON.parse(line) as Record<string, unknown>;
  const atMs = typeof at === "string" ? Date.parse(at) : Number.NaN;
  const isWhole =
    typeof fields === "object" &&
    typeof entryId === "string" &&
    isEntryId(entryId) &&
    typeof deliveries === "number" &&
    Number.isSafeInteger(deliveries) &&
    deliveries >= 0 &&
    !Number.isNaN(atMs);
  if (!isWhole)
    return { kind: "malformed", why: "it has no entryId, deliveries, at and fields as `export` prints them" };
  const history = {
    entryId,
    deliveries,
    atMs,
    consumer: textOf(consumer),
    reason: textOf(reason),
    error: textOf(error),
  };
  const partition = parsePlacedId(textOf(id))?.partition ?? null;
  return { kind: "letter", fields: [...message.fields.flat(), ...encodeHistory(history)], partition };
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");
