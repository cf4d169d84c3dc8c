/**
 * The options of a consumer. Each is written here, and nowhere else: the docstring is what editors show, `about` what stands
 * in the README and in the help of the command line.
 */
import type { CredentialsFunction, Decoder, Observer } from "@redis-batch/core";
import type { OptionSpecs } from "@redis-batch/core/internal/options";
import type { ConsumerEvent } from "./events.ts";
import type { ConsumerInstrumentation } from "./instrumentation.ts";
import type { Message } from "./message.ts";

export const CONSUMER_SPEC = {
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
    about: "maximum time for the first connection; reconnecting may take any time",
  },
  /** Receives every event. Without one, trouble is reported as process warnings. */
  observer: {
    ...{ kind: "function", value: {} as Observer<ConsumerEvent>, otherwise: "process warnings" },
    about: "receives every [event](../../docs/events.md)",
  },
  /**
   * Follows each batch, for tracing and metrics: `openTelemetry()` of `@redis-batch/opentelemetry`, or one of your own. Not set by
   * default, and then costs nothing.
   */
  instrumentation: {
    ...{ kind: "own", value: {} as ConsumerInstrumentation },
    about: "follows each batch, for [tracing and metrics](../opentelemetry/README.md)",
  },
  /** The stream's key. It is created when it does not exist. Either this or `streams`. */
  stream: { kind: "stream", about: "the stream's key; created if it is missing; either this or `streams`" },
  /**
   * The keys of several streams, each of which has a group of this name. They are read over the connections of one consumer,
   * and share `concurrency` and `prefetch`; `maxBytes` is divided equally among them. A batch has messages of one of them.
   */
  streams: {
    kind: "streams",
    about: "the keys of [several streams](#several-streams), each with a group of this name",
  },
  /**
   * Number of partitions, 1 to 256. Each partition is a stream in Redis, and each consumer of the group owns some of them.
   * Use the same number for producers and consumers. Default: none, a plain stream.
   */
  partitions: {
    ...{ kind: "integer", min: 1, max: 256, otherwise: "none" },
    about: "how many [partitions](../../docs/partitions.md) the stream has; the group's consumers share them",
  },
  /**
   * How long a consumer must have been in the group before others give up partitions to it, in milliseconds, 0 to 3,600,000. Default
   * 3,000. Partitions that nobody owns do not wait.
   */
  rebalanceGraceMs: {
    ...{ kind: "milliseconds", min: 0, max: 3_600_000, default: 3_000 },
    about: "time before a new consumer is given partitions that others own",
  },
  /** The consumer group. It is created when it does not exist. */
  group: { kind: "name", required: true, about: "the consumer group; created if it is missing" },
  /**
   * This consumer's name within the group. Default: `<host>-<pid>-<random>`, so that no two instances share one. A
   * name you choose must be used by one process at a time; messages still pending under it are delivered again.
   */
  name: {
    ...{ kind: "name", otherwise: "`<host>-<pid>-<random>`" },
    about: "the consumer's name within the group; one you choose must be used by one process at a time",
  },
  /** Messages in a full batch, 1 to 10,000. Default 100. Large batches cost memory and redeliver more when they fail. */
  batchSize: { kind: "integer", min: 1, max: 10_000, default: 100, about: "messages in a full batch" },
  /** How a message that was not acknowledged is redelivered in `run` and `for await`. */
  retry: {
    kind: "options",
    about: "[when a message is redelivered](#when-is-a-message-redelivered) in `run` and `for await`",
    options: {
      /** The shortest delay, in milliseconds, 1 to 3,600,000. Default 1,000. */
      baseMs: {
        ...{ kind: "milliseconds", min: 1, max: 3_600_000, default: 1_000 },
        about: "shortest [delay](#when-is-a-message-redelivered) before a redelivery in `run` and `for await`",
      },
      /** The longest delay, in milliseconds, 1 to 86,400,000, not below `baseMs`. Default 300,000. */
      capMs: {
        ...{ kind: "milliseconds", min: 1, max: 86_400_000, default: 300_000, notBelow: "baseMs" },
        about: "longest such delay",
      },
    },
  },
  /**
   * How long a batch is collected at most, in milliseconds, 0 to 3,600,000. Default 5,000. Counts from the call of
   * `fetch()`, and from the first message in `run` and `for await`. Too small: small batches; too large: late messages.
   */
  maxWaitMs: {
    ...{ kind: "milliseconds", min: 0, max: 3_600_000, default: 5_000 },
    about: "maximum time to collect a batch",
  },
  /**
   * How long one read waits at the server, in milliseconds, 100 to 60,000. Default 2,000. A process that dies within
   * it may still be sent messages, which then have to be recovered. Never more than a quarter of `leaseMs`: a message's lease
   * counts from the beginning of the read. Where a proxy does not let reads wait, they follow each other at pauses that
   * grow to 250 ms.
   */
  blockMs: {
    ...{ kind: "milliseconds", min: 100, max: 60_000, default: 2_000 },
    about: "time one read waits at the server; at most a quarter of `leaseMs`",
  },
  /**
   * Batches read ahead while one is at work, 0 to 100. Default 1. 0 trades throughput for holding nothing in advance. While
   * batches take longer than `maxWaitMs`, and longer than a second, nothing is read ahead. In `run` and `for await` quick
   * batches are read further ahead, as far as they take 10 ms, and up to 1,000 messages: larger reads cost less.
   */
  prefetch: {
    ...{ kind: "integer", min: 0, max: 100, default: 1 },
    about:
      "batches to read ahead; none while batches take longer than max(`maxWaitMs`, 1 s), and none if `maxDeliveries` is 1; more, up to 1,000 messages, while they are worked off within 10 ms",
  },
  /** Batches that `run` works on at the same time, 1 to 1,000. Default 1. More than 1 gives up the order of batches. */
  concurrency: {
    kind: "integer",
    min: 1,
    max: 1_000,
    default: 1,
    about: "batches that `run` handles at the same time",
  },
  /** Payload bytes read ahead, and in one batch, at most (+ one read), 1,024 to 2^31. Default 16 MiB. */
  maxBytes: {
    ...{ kind: "bytes", min: 1_024, max: 2 ** 31, default: 16_777_216 },
    about: "maximum payload bytes read ahead, and in one batch",
  },
  /**
   * Messages deferred for a later attempt in memory, by their ids, `batchSize` to 1,000,000; beyond it Redis keeps them.
   * Default 10 × `batchSize`. With `orderBy` it is how many messages may wait behind others of their key, by their ids, before
   * the first ones are given up that fail. Default then 100,000.
   */
  maxDeferred: {
    ...{ kind: "integer", min: 1, max: 1_000_000, notBelow: "batchSize" },
    otherwise: "10 × `batchSize`; 100,000 with `orderBy`",
    about:
      "deferred messages whose ids are kept in memory; Redis keeps the rest; [a limit of another kind](#order-per-key) with `orderBy`",
  },
  /**
   * How often a message is offered at most before it goes to the dead letters, 1 to 1,000,000. Default: 16 in `run` and
   * `for await`, unlimited under `fetch()`. Where another consumer of the group is alive, that one tries it once more, unless
   * it is 1.
   */
  maxDeliveries: {
    ...{ kind: "integer", min: 1, max: 1_000_000, otherwise: "16; unlimited under `fetch()`" },
    about: "deliveries of a message before it goes to the dead letters; one more if another consumer can try it",
  },
  /**
   * How long `run` and `for await` take the sink behind the handler to be down, in milliseconds, 0 to 31,536,000,000.
   * Default 86,400,000, a day. Meanwhile failures do not count towards `maxDeliveries`; when nothing has succeeded for
   * that long they count again, so that messages that are all poison are not tried for ever. 0: every failure counts.
   */
  maxOutageMs: {
    ...{ kind: "milliseconds", min: 0, max: 31_536_000_000, default: 86_400_000 },
    about: "time for which failures of every message count as an outage of the sink, and not as deliveries",
  },
  /**
   * Keeps the messages of one key in order: the name of the field that has the key, or a function of the message that returns
   * it. A message without the field, or one for which the function returns `null` or `undefined`, has no key and no order. One for
   * which it throws or returns anything else goes to the dead letters (`undecodable`). Fields are what is in Redis: with a codec
   * use a function to have a property of the value.
   */
  orderBy: {
    ...{ kind: "own", value: {} as string | ((message: Message<never>) => string | null | undefined) },
    about:
      "field, or function of the message, that has the key; [messages of one key are processed in order](#order-per-key)",
  },
  /**
   * Where that order holds: `"group"` (default), in the whole group, so that no other consumer may be in it; or `"consumer"`,
   * within this consumer, whatever others do.
   */
  orderScope: {
    kind: "choice",
    choices: ["group", "consumer"],
    default: "group",
    about: 'where that order holds; with `"group"` no other consumer may be in the group',
  },
  /** The share of a batch that redelivered messages take at most while new ones wait, 0 to 1. Default 0.5. */
  retryShare: {
    ...{ kind: "number", min: 0, max: 1, default: 0.5 },
    about: "maximum share of redelivered messages in a batch while new ones wait",
  },
  /**
   * What becomes of an entry that is acknowledged: `"keep"` (default), a later group may want the history; `"delete"`, it
   * is removed from the stream as soon as every group that exists has acknowledged it.
   */
  onAck: {
    kind: "choice",
    choices: ["keep", "delete"],
    default: "keep",
    about: 'what happens to an acknowledged entry; `"delete"` removes it once every group has acknowledged it',
  },
  /**
   * How long a message stays this consumer's without a sign of life, in milliseconds, 500 to 3,600,000. Default 60,000.
   * Each consumer of a group is judged by its own. It is renewed every third of it, however long the work takes. Small values
   * find dead consumers sooner, and lose messages to others when the process stalls for longer than they last.
   */
  leaseMs: {
    ...{ kind: "milliseconds", min: 500, max: 3_600_000, default: 60_000 },
    about: "time that a message stays with this consumer without a renewal of its lease",
  },
  /**
   * How long a message may be held without an outcome, in milliseconds, 500 to 86,400,000. Default 10 × `leaseMs`. After
   * it its signal aborts and other consumers take it: the handler hangs. A message on which a second handler hangs goes to
   * the dead letters. Set it to more than the longest that a batch ever takes.
   */
  maxHoldMs: {
    // What takes that many leases is more likely to hang than to work.
    ...{ kind: "milliseconds", min: 500, max: 86_400_000, default: { times: 10, of: "leaseMs" } },
    about: "time that a message may be held without an outcome before its handler counts as hung",
  },
  /**
   * How often to look for messages that dead consumers left behind, in milliseconds, 100 to 3,600,000. Default 15,000,
   * give or take a quarter. One consumer of a group does it at a time.
   */
  recoverEveryMs: {
    ...{ kind: "milliseconds", min: 100, max: 3_600_000, default: 15_000 },
    about: "time between searches for messages of dead consumers",
  },
  /**
   * How long a message of a consumer that is not ours must have been idle before it counts as left behind, in
   * milliseconds, 1,000 to 86,400,000. Default 600,000. Must be longer than such a consumer ever works on a message.
   */
  foreignIdleMs: {
    ...{ kind: "milliseconds", min: 1_000, max: 86_400_000, default: 600_000 },
    about: "idle time after which a message of a consumer that is not of Redis Batch counts as abandoned",
  },
  /**
   * How many messages all consumers of the group together offer to their handlers in a time, redelivered ones included. The
   * first consumer with this option writes it into Redis, and what stands there counts, for all of them: where another value is
   * in the options, that is reported. `redis-batch group rate` changes it.
   */
  rateLimit: {
    ...{ kind: "options", optional: true },
    about: "[rate of the whole group](../../docs/handles.md#the-rate-of-a-group), shared by its consumers",
    options: {
      /** Messages in that time, 1 to 1,000,000,000. */
      messages: {
        ...{ kind: "integer", min: 1, max: 1_000_000_000, required: true },
        about: "messages that the group offers in that time",
      },
      /** The time, in milliseconds, 1 to 86,400,000. Default 1,000. */
      perMs: { ...{ kind: "milliseconds", min: 1, max: 86_400_000, default: 1_000 }, about: "that time" },
    },
  },
  /** Where a group that is created begins: `start` (default), `end`, or after an entry id. */
  startFrom: {
    ...{ kind: "position", default: "start" },
    about: "where a new group begins; an id is that of the last entry it does not get",
  },
  /** Where a group that was deleted under the consumer begins again: `start` (default), `end`, or after an entry id. */
  recreateFrom: { kind: "position", default: "start", about: "where a group that was deleted begins again" },
  /**
   * How the fields become `message.value`, at once: a promise is refused. Default: text fields. See `jsonCodec` and
   * `withSchema`.
   */
  codec: {
    ...{ kind: "codec", method: "decode", value: {} as Decoder<unknown>, otherwise: "text fields" },
    about: "how fields become `message.value`; [synchronous](../core/README.md#codecs)",
  },
  /** How long `close()` waits for handlers and acknowledgements, in milliseconds, 0 to 3,600,000. Default 30,000. */
  drainMs: {
    ...{ kind: "milliseconds", min: 0, max: 3_600_000, default: 30_000 },
    about: "maximum time that `close()` waits for handlers and acknowledgements",
  },
  /** Aborting it begins the drain. */
  signal: { kind: "signal", about: "starts the drain when it is aborted" },
} as const satisfies OptionSpecs;
