/**
 * Decodes replies. They arrive as Buffers, numbers, null and arrays; RESP3 adds maps. Named fields are looked up by
 * name, never by position, because servers insert new ones in the middle.
 */
import { ReplyShapeError } from "../errors/errors.ts";
import { nameOfBytes } from "../names/names.ts";

export function decodeArray(reply: unknown, what: string): readonly unknown[] {
  if (Array.isArray(reply)) return reply;
  throw surprise(reply, what, "an array");
}

export function decodeBytes(reply: unknown, what: string): Buffer {
  if (Buffer.isBuffer(reply)) return reply;
  if (typeof reply === "string") return Buffer.from(reply);
  throw surprise(reply, what, "a bulk string");
}

/** Text. Bytes that are not UTF-8 are preserved, as in a name. */
export function decodeText(reply: unknown, what: string): string {
  if (typeof reply === "string") return reply;
  if (Buffer.isBuffer(reply)) return nameOfBytes(reply);
  throw surprise(reply, what, "a text");
}

export function decodeInteger(reply: unknown, what: string): number {
  if (typeof reply === "number" && Number.isInteger(reply)) return reply;
  if (typeof reply === "bigint") return Number(reply);
  // Inside scripts, and with `stringNumbers`, integers are text.
  if (typeof reply === "string" || Buffer.isBuffer(reply)) {
    const text = reply.toString();
    if (/^-?\d+$/.test(text)) return Number(text);
  }
  throw surprise(reply, what, "an integer");
}

/** An integer the server may not know: nil stays null and never turns into 0. */
export function decodeIntegerOrNull(reply: unknown, what: string): number | null {
  return reply === null || reply === undefined ? null : decodeInteger(reply, what);
}

/** A score of a sorted set: a double, as text or (RESP3) as a number. */
export function decodeScore(reply: unknown, what: string): number {
  const score = typeof reply === "number" ? reply : Number(decodeText(reply, what) || "none");
  if (Number.isNaN(score)) throw surprise(reply, what, "a score");
  return score;
}

/** A reply of alternating names and values (RESP2) or a map (RESP3). */
export function decodeNamed(reply: unknown, what: string): ReadonlyMap<string, unknown> {
  const named = new Map<string, unknown>();
  if (reply instanceof Map) {
    for (const [name, value] of reply) named.set(decodeText(name, what), value);
    return named;
  }
  const items = decodeArray(reply, what);
  if (items.length % 2 !== 0)
    throw new ReplyShapeError(`${what}: expected names and values, got ${items.length} items`);
  for (let index = 0; index < items.length; index += 2) named.set(decodeText(items[index], what), items[index + 1]);
  return named;
}

// Shapes only: a reply may hold payloads.
function surprise(reply: unknown, what: string, expected: string): ReplyShapeError {
  const shape = reply === null ? "nil" : Array.isArray(reply) ? `an array of ${reply.length}` : typeof reply;
  return new ReplyShapeError(`${what}: expected ${expected}, got ${shape}`);
}
