/** The options of a producer. Each is written here, and nowhere else. */
import type { Encoder } from "../codecs/codec.ts";
import type { EntryId } from "../names/entry-id.ts";
import type { OptionSpecs } from "../options/option-spec.ts";
import type { CredentialsFunction } from "../redis/credentials.ts";
import type { Observer } from "../service/observer.ts";
import type { ProducerEvent } from "./events.ts";
import type { ProducerInstrumentation } from "./instrumentation.ts";

export const PRODUCER_SPEC = {
  redis: { kind: "redis" },
  /**
   * Returns user, password or certificates; may be asynchronous. It is called before each connection, so what is rotated
   * takes effect without a restart. Default: those of `redis`.
   */
  credentials: {
    ...{ kind: "function", value: {} as CredentialsFunction, otherwise: "those of `redis`" },
    about:
      "returns user, password or certificates; called [before each connection](../../docs/connecting-credentials.md#rotating-passwords-tokens-and-certificates)",
  },
  /** How long the first connection may take, in milliseconds, 100 to 600,000. Default 30,000. Later ones are awaited. */
  connectTimeoutMs: {
    ...{ kind: "milliseconds", min: 100, max: 600_000, default: 30_000 },
    about: 'maximum time that `connect()`, and the first add with `whileAway: "fail"`, wait for the first connection',
  },
  /** Receives every event. Without one, a connection that cannot be had is reported as a process warning. */
  observer: {
    ...{ kind: "function", value: {} as Observer<ProducerEvent>, otherwise: "a process warning if it cannot connect" },
    about: "receives every `ProducerEvent`",
  },
  /**
   * Follows each message, for tracing and metrics: `openTelemetry()` of `@redis-batch/opentelemetry`, or one of your own. Not
   * set by default, and then costs nothing.
   */
  instrumentation: {
    ...{ kind: "own", value: {} as ProducerInstrumentation },
    about: "follows each message, for [tracing and metrics](../opentelemetry/README.md)",
  },
  /** The stream's key. It is created by the first message. */
  stream: { kind: "name", required: true, about: "the stream's key; created by the first message" },
  /**
   * Number of partitions, 1 to 256. Each partition is a stream in Redis. Messages with the same `key` are in the same
   * partition, in the order of the calls. The number is written down beside the stream, and cannot be changed. Default: it has none.
   */
  partitions: {
    ...{ kind: "integer", min: 1, max: 256, otherwise: "none" },
    about:
      "how many [partitions](../../docs/partitions.md) the stream has; the `key` of a message says which one it goes to",
  },
  /** How a value becomes fields, at once: a promise is refused. Default: the value is the fields. See `jsonCodec` and `withSchema`. */
  codec: {
    ...{ kind: "codec", method: "encode", value: {} as Encoder<never>, otherwise: "the value is the fields" },
    about: "how a value becomes fields; [synchronous](#codecs)",
  },
  /**
   * What becomes of an add while there is no connection. `"queue"` (default): it waits up to `queueTimeoutMs` and is
   * sent, in order, when the connection is there. `"fail"`: it is refused at once, except that before the first
   * connection it waits up to `connectTimeoutMs`. Either way the refusal is a `ConnectionError` with the outcome
   * `not-sent`.
   */
  whileAway: {
    kind: "choice",
    choices: ["queue", "fail"],
    default: "queue",
    about: "what an add does while there is no connection: wait for one, or reject at once",
  },
  /**
   * How long an add waits for a connection, or for a server that takes it, in milliseconds, 1 to 86,400,000. Default
   * 30,000.
   */
  queueTimeoutMs: {
    ...{ kind: "milliseconds", min: 1, max: 86_400_000, default: 30_000 },
    about: "maximum time that an add waits for a connection, or for a server that takes it",
  },
  /**
   * Messages accepted and not yet confirmed at most, 1 to 10,000,000. Default 10,000. Beyond it `add` rejects at once
   * with a `QueueFullError`; `addMany` and `addEach` wait, and leave half of it to `add`. Large values cost memory
   * (about 1 KiB a message) while the server is away or slow.
   */
  maxQueued: {
    ...{ kind: "integer", min: 1, max: 10_000_000, default: 10_000 },
    about: "maximum unconfirmed messages; beyond that `add` rejects with `QueueFullError` and `addMany` waits",
  },
  /**
   * Payload bytes accepted and not yet confirmed at most, 1,024 to 2^33. Default 16 MiB. A single larger message is
   * accepted when nothing else waits.
   */
  maxQueuedBytes: {
    ...{ kind: "bytes", min: 1_024, max: 2 ** 33, default: 16_777_216 },
    about: "maximum payload bytes of unconfirmed messages",
  },
  /**
   * How long an add with an idempotency key is tried again after its first failed attempt, in milliseconds, 0 to
   * 3,600,000. Default 30,000. Shorter than a failover takes: the caller has to retry after one.
   */
  retryForMs: {
    ...{ kind: "milliseconds", min: 0, max: 3_600_000, default: 30_000 },
    about: "time during which an add with an idempotency key is retried",
  },
  /**
   * How long the server remembers an idempotency key, in milliseconds, 1,000 to 2,592,000,000. Default 3,600,000. A
   * repetition after that adds the message again; each remembered key costs the server about 150 bytes. Must be longer
   * than `retryForMs`.
   */
  rememberKeysMs: {
    ...{ kind: "milliseconds", min: 1_000, max: 2_592_000_000, default: 3_600_000 },
    about: "time that the server remembers an idempotency key; longer than `retryForMs`",
  },
  /**
   * Confirms an add only when this many replicas have it, too. Not set by default: the master alone confirms, and what its
   * replicas do not have yet is lost if one of them takes over. An add that too few replicas confirm in time rejects with a
   * `ConnectionError` whose outcome is `unknown`: it is in the stream, but may still be lost. While replicas are awaited,
   * further adds collect, and are then sent together. It is a help, not a promise: the replica that takes over may be another.
   */
  waitForReplicas: {
    ...{ kind: "options", optional: true },
    about: "[confirm an add](../../docs/durability.md) only when replicas have it, too",
    options: {
      /** Replicas that must confirm, 1 to 100. More than the master has: no add is ever confirmed. */
      count: {
        ...{ kind: "integer", min: 1, max: 100, required: true },
        about: "replicas that must have a message before its add is confirmed",
      },
      /** How long to wait for them, in milliseconds, 1 to 10,000. Default 1,000. Too short: adds that are well end in doubt. */
      timeoutMs: {
        ...{ kind: "milliseconds", min: 1, max: 10_000, default: 1_000 },
        about: "maximum time to wait for the replicas; after that the outcome of the add is `unknown`",
      },
    },
  },
  /**
   * Keep about this many of the newest entries, 1 to 2^53-1; drop older ones with every add, read or not. Not set by
   * default; needs `allowUnreadLoss`.
   */
  maxLen: {
    ...{ kind: "integer", min: 1, max: Number.MAX_SAFE_INTEGER },
    about: "approximate number of entries to keep; each add drops older ones, **read or not**; needs `allowUnreadLoss`",
  },
  /**
   * Keep the entries from this id on; drop older ones with every add, read or not. A complete entry id, or its
   * milliseconds alone. Not set by default; needs `allowUnreadLoss`.
   */
  minId: {
    ...{ kind: "own", value: "" as EntryId },
    about: "id of the oldest entry to keep; each add drops older ones, **read or not**; needs `allowUnreadLoss`",
  },
  /**
   * Whether `maxLen` and `minId` drop whole nodes only: much cheaper, and up to about a hundred entries more stay.
   * Default `true`.
   */
  approximate: {
    ...{ kind: "flag", default: true },
    about: "keep up to about a hundred entries more, which costs much less",
  },
  /**
   * Says that messages may be lost that no consumer has read, which is what `maxLen` and `minId` do to a consumer that
   * falls behind. Default `false`. To drop only what every group has finished, use the consumer's `onAck: "delete"` or
   * the monitor's retention instead.
   */
  allowUnreadLoss: {
    ...{ kind: "flag", default: false },
    about: "allow `maxLen` and `minId` to drop messages that no consumer has read",
  },
  /** How long `close()` waits for the messages under way, in milliseconds, 0 to 3,600,000. Default 10,000. */
  closeTimeoutMs: {
    ...{ kind: "milliseconds", min: 0, max: 3_600_000, default: 10_000 },
    about: "maximum time that `close()` waits for messages in progress",
  },
} as const satisfies OptionSpecs;
