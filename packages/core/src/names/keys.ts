/**
 * The names of all keys that Redis Batch writes. All are in the stream's slot, so that one script may touch them together,
 * even in a Cluster.
 */
import { ConfigError } from "../errors/errors.ts";
import { quoteName } from "./names.ts";

// Keys with information about a group's work. Deleting them loses no messages.
const BOOKKEEPING = [
  // Registry of the group's consumers.
  "consumers",
  // Final reports of consumers that have left.
  "final-reports",
  // When deferred messages are due, and which messages handlers hung on. A deferred message is pending; without a time it
  // is released.
  "due",
  "hung",
  // Who owns the stream, where it is a partition of a larger one.
  "owner",
  // The leases for recovery, and for the leading monitor and scaler.
  "lease:recovery",
  "lease:monitor",
  "lease:scaler",
  // The scaler's state, and the log of its orders.
  "scaler",
  "audit",
] as const;

/** `dead`: dead letters, which are messages. The others are bookkeeping. */
export type GroupKeyKind = "dead" | (typeof BOOKKEEPING)[number];

/** The key of `kind` that belongs to one consumer group of one stream. */
export function groupKey(kind: GroupKeyKind, stream: string, group: string): string {
  return keyOf(kind, stream, group);
}

/** What is before the kind in every key that belongs to a stream, and what is between the kind and the last part. */
export function keyParts(stream: string): readonly [before: string, after: string] {
  return [`rb:{${hashTag(stream)}}:`, `:${encodePart(stream)}:`];
}

function keyOf(kind: string, stream: string, last: string): string {
  return keyParts(stream).join(kind) + encodePart(last);
}

/**
 * The key of the stream that holds a group's dead letters. "%" and ":" in names are escaped. The key has the stream's
 * hash tag, so that both are on the same node of a Cluster.
 *
 * @throws {ConfigError} when the stream's name leaves no room for keys beside it
 *
 * @example
 * deadLetterKey("shop:orders", "billing"); // "rb:{shop:orders}:dead:shop%3Aorders:billing"
 */
export function deadLetterKey(stream: string, group: string): string {
  return groupKey("dead", stream, group);
}

/**
 * All bookkeeping keys of one consumer group, which are useless once the group is deleted. Its dead letters are not among
 * them: those are messages.
 */
export function bookkeepingKeys(stream: string, group: string): readonly string[] {
  return BOOKKEEPING.map((kind) => groupKey(kind, stream, group));
}

/** Whether a key looks like one that Redis Batch writes beside a stream, such as a group's dead letters. */
export function isOwnKey(key: string): boolean {
  const [, kind = ""] = /^rb:\{.+\}:((?:lease:)?[a-z-]+):[^:]+:[^:]+$/s.exec(key) ?? [];
  return ["dead", "idem", ...BOOKKEEPING].includes(kind);
}

/** The key that remembers the entry id of an idempotency key. Belongs to the stream, not to a group. */
export function idempotencyKey(stream: string, key: string): string {
  return keyOf("idem", stream, key);
}

/**
 * The part of a key that Redis Cluster hashes: the text between the first `{` and the next `}`, or the whole name.
 *
 * @throws {ConfigError} when no other key can be put into the stream's slot: the name has no hash tag of its own and
 * contains a `}`, which would end ours too early, or is empty.
 */
export function hashTag(stream: string): string {
  const open = stream.indexOf("{");
  const close = open < 0 ? -1 : stream.indexOf("}", open + 1);
  if (close > open + 1) return stream.slice(open + 1, close);
  if (stream === "") throw new ConfigError("stream", ["the name must not be empty"]);
  if (stream.includes("}")) {
    throw new ConfigError("stream", [
      `${quoteName(stream)} contains "}" outside a hash tag, so no other key can be placed in its slot; ` +
        'leave out the "}", or put a part of the name into braces: "{orders}:eu"',
    ]);
  }
  return stream;
}

// ":" separates the parts and "%" escapes, so two different names never make one key.
function encodePart(part: string): string {
  return part.replaceAll("%", "%25").replaceAll(":", "%3A");
}
