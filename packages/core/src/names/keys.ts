/**
 * The names of every key Redis Batch writes. All share the stream's own slot, so that one script may touch them
 * together, in a Cluster too.
 */
import { ConfigError } from "../errors/errors.ts";
import { quoteName } from "./names.ts";

// Each kind of key that is about a group's work, and not part of it: nothing is lost with them but what was known.
const BOOKKEEPING = [
  // Registry: who works in the group.
  "consumers",
  // What those said last that left.
  "final-reports",
  // When what was deferred may be offered again, and what handlers hung on. What is deferred is pending: a message without
  // a time is released.
  "due",
  "hung",
  // Whose turn it is to recover what the dead left, and which monitor and which scaler lead.
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
  return `rb:{${hashTag(stream)}}:${kind}:${encodePart(stream)}:${encodePart(group)}`;
}

/**
 * The key of the stream that holds a group's dead letters. "%" and ":" in a name are escaped in it, and it has the hash tag
 * of the stream, so that both are on the same node of a Cluster.
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
 * Every key that is kept about one consumer group, which nobody needs once the group is gone. Its dead letters are not
 * among them: these are messages.
 */
export function bookkeepingKeys(stream: string, group: string): readonly string[] {
  return BOOKKEEPING.map((kind) => groupKey(kind, stream, group));
}

/** Whether a key looks like one that Redis Batch writes beside a stream, such as a group's dead letters. */
export function isOwnKey(key: string): boolean {
  const [, kind = ""] = /^rb:\{.+\}:((?:lease:)?[a-z-]+):[^:]+:[^:]+$/s.exec(key) ?? [];
  return ["dead", "idem", ...BOOKKEEPING].includes(kind);
}

/** The key that remembers which entry an idempotency key was added as. Belongs to the stream, not to a group. */
export function idempotencyKey(stream: string, key: string): string {
  return `rb:{${hashTag(stream)}}:idem:${encodePart(stream)}:${encodePart(key)}`;
}

/**
 * What Redis Cluster hashes of a key: the text between the first `{` and the next `}`, or the whole name.
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
      `${quoteName(stream)} contains "}" outside a hash tag, so no second key can live in its slot; ` +
        'leave the "}" out, or put a part of the name into braces: "{orders}:eu"',
    ]);
  }
  return stream;
}

// ":" separates the parts and "%" escapes, so two different names never make one key.
function encodePart(part: string): string {
  return part.replaceAll("%", "%25").replaceAll(":", "%3A");
}
