import {
  type Decoder,
  type Fields,
  fieldsCodec,
  type GroupPosition,
  isEntryId,
  type Observer,
  type RedisSource,
} from "@redis-batch/core";
import { heartbeatMsOf } from "@redis-batch/core/internal/groups";
import { OptionsReader, readService, readStream } from "@redis-batch/core/internal/options";
import { type BackoffPolicy, instanceName } from "@redis-batch/core/internal/service";
import type { ConsumerEvent } from "./events.ts";

export interface ConsumerOptions<Value = Fields> {
  /**
   * Where Redis is: a URL (`redis://`, `rediss://`, `unix://`), ioredis options (Sentinel's too), or an ioredis
   * `Redis` or `Cluster`, which is duplicated and never used or closed itself. In a test: `memoryRedis()` of
   * `@redis-batch/testing`.
   */
  readonly redis: RedisSource;
  /** The stream's key. It is created when it does not exist. */
  readonly stream: string;
  /** The consumer group. It is created when it does not exist. */
  readonly group: string;
  /**
   * This consumer's name within the group. Default: `<host>-<pid>-<random>`, so that no two instances share one. A
   * name you choose must be used by one process at a time; messages still pending under it are delivered again.
   */
  readonly name?: string | undefined;
  /** Messages in a full batch, 1 to 10,000. Default 100. Large batches cost memory and redeliver more when they fail. */
  readonly batchSize?: number | undefined;
  /**
   * How long a batch is collected at most, in milliseconds, 0 to 3,600,000. Default 5,000. Counts from the call of
   * `fetch()`, and from the first message in `run` and `for await`. Too small: small batches; too large: late messages.
   */
  readonly maxWaitMs?: number | undefined;
  /**
   * How long one read waits at the server, in milliseconds, 100 to 60,000. Default 2,000. A process that dies within
   * it may still be sent messages, which then have to be recovered. Never more than a quarter of `leaseMs`: a message's lease
   * counts from the beginning of the read. Where a proxy does not let reads wait, they follow each other at pauses that
   * grow to 250 ms.
   */
  readonly blockMs?: number | undefined;
  /**
   * Batches read ahead while one is at work, 0 to 100. Default 1. 0 trades throughput for holding nothing in advance. While
   * batches take longer than `maxWaitMs`, and longer than a second, nothing is read ahead.
   */
  readonly prefetch?: number | undefined;
  /** Batches that `run` works on at the same time, 1 to 1,000. Default 1. More than 1 gives up the order of batches. */
  readonly concurrency?: number | undefined;
  /** Payload bytes read ahead, and in one batch, at most (+ one read), 1,024 to 2^31. Default 16 MiB. */
  readonly maxBytes?: number | undefined;
  /** Messages deferred for a later attempt in memory, by their ids; beyond it Redis keeps them. Default 10 × batchSize. */
  readonly maxDeferred?: number | undefined;
  /** How a message that was not acknowledged comes again in `run` and `for await`. */
  readonly retry?:
    | {
        /** The shortest delay, in milliseconds, 1 to 3,600,000. Default 1,000. */
        readonly baseMs?: number | undefined;
        /** The longest delay, in milliseconds, up to 86,400,000. Default 300,000. */
        readonly capMs?: number | undefined;
      }
    | undefined;
  /**
   * How often a message is offered at most before it goes to the dead letters, 1 to 1,000,000. Default: 16 in `run` and
   * `for await`, unlimited under `fetch()`. Where another consumer of the group is alive, that one tries it once more, unless
   * it is 1.
   */
  readonly maxDeliveries?: number | undefined;
  /**
   * How long `run` and `for await` take the sink behind the handler to be down, in milliseconds, 0 to 31,536,000,000.
   * Default 86,400,000, a day. Meanwhile failures do not count towards `maxDeliveries`; when nothing has succeeded for
   * that long they count again, so that messages that are all poison are not tried for ever. 0: every failure counts.
   */
  readonly maxOutageMs?: number | undefined;
  /** The share of a batch that redelivered messages take at most while new ones wait, 0 to 1. Default 0.5. */
  readonly retryShare?: number | undefined;
  /**
   * What becomes of an entry that is acknowledged: `"keep"` (default), a later group may want the history; `"delete"`, it
   * is removed from the stream as soon as every group that exists has acknowledged it.
   */
  readonly onAck?: "keep" | "delete" | undefined;
  /**
   * How long a message stays this consumer's without a sign of life, in milliseconds, 500 to 3,600,000. Default 60,000.
   * Each consumer of a group is judged by its own. It is renewed every third of it, however long the work takes. Small values
   * find dead consumers sooner, and lose messages to others when the process stalls for longer than they last.
   */
  readonly leaseMs?: number | undefined;
  /**
   * How long a message may be held without an outcome, in milliseconds, 500 to 86,400,000. Default 10 × `leaseMs`. After
   * it its signal aborts and other consumers take it: the handler hangs. A message on which a second handler hangs goes to
   * the dead letters. Set it to more than the longest that a batch ever takes.
   */
  readonly maxHoldMs?: number | undefined;
  /**
   * How often to look for messages that dead consumers left behind, in milliseconds, 100 to 3,600,000. Default 15,000,
   * give or take a quarter. One consumer of a group does it at a time.
   */
  readonly recoverEveryMs?: number | undefined;
  /**
   * How long a message of a consumer that is not ours must have been idle before it counts as left behind, in
   * milliseconds, 1,000 to 86,400,000. Default 600,000. Must be longer than such a consumer ever works on a message.
   */
  readonly foreignIdleMs?: number | undefined;
  /** Where a group that is created begins: `start` (default), `end`, or after an entry id. */
  readonly startFrom?: GroupPosition | undefined;
  /** Where a group that was deleted under the consumer begins again: `start` (default), `end`, or after an entry id. */
  readonly recreateFrom?: GroupPosition | undefined;
  /**
   * How the fields become `message.value`, at once: a promise is refused. Default: text fields. See `jsonCodec` and
   * `withSchema`.
   */
  readonly codec?: Decoder<Value> | undefined;
  /** How long the first connection may take, in milliseconds, 100 to 600,000. Default 30,000. Later ones are awaited. */
  readonly connectTimeoutMs?: number | undefined;
  /** How long `close()` waits for handlers and acknowledgements, in milliseconds, 0 to 3,600,000. Default 30,000. */
  readonly drainMs?: number | undefined;
  /** Aborting it begins the drain. */
  readonly signal?: AbortSignal | undefined;
  /** Receives every event. Without one, trouble is reported as process warnings. */
  readonly observer?: Observer<ConsumerEvent> | undefined;
}

/** The values of options that are not given. */
export const CONSUMER_DEFAULTS = {
  batchSize: 100,
  maxWaitMs: 5_000,
  blockMs: 2_000,
  prefetch: 1,
  concurrency: 1,
  maxBytes: 16_777_216,
  retry: { baseMs: 1_000, capMs: 300_000 },
  maxOutageMs: 86_400_000,
  retryShare: 0.5,
  onAck: "keep",
  leaseMs: 60_000,
  recoverEveryMs: 15_000,
  foreignIdleMs: 600_000,
  startFrom: "start",
  recreateFrom: "start",
  connectTimeoutMs: 30_000,
  drainMs: 30_000,
} as const;

// What takes that many leases is more likely to hang than to work.
const HOLD_LEASES = 10;

/** The options, complete and checked. */
export interface ConsumerPolicy<Value> {
  readonly redis: RedisSource;
  readonly stream: string;
  readonly group: string;
  readonly name: string;
  readonly batchSize: number;
  readonly maxWaitMs: number;
  readonly blockMs: number;
  readonly prefetch: number;
  readonly concurrency: number;
  readonly maxBytes: number;
  readonly maxDeferred: number;
  readonly retry: BackoffPolicy;
  readonly maxDeliveries: number | undefined;
  readonly maxOutageMs: number;
  readonly retryShare: number;
  readonly onAck: "keep" | "delete";
  readonly leaseMs: number;
  /** How often the heartbeat goes out, in milliseconds. */
  readonly heartbeatMs: number;
  readonly maxHoldMs: number;
  readonly recoverEveryMs: number;
  readonly foreignIdleMs: number;
  readonly startFrom: GroupPosition;
  readonly recreateFrom: GroupPosition;
  readonly codec: Decoder<Value>;
  /** Whether values are decoded when messages arrive, so that one that cannot be is never offered. */
  readonly isDecodedEarly: boolean;
  readonly connectTimeoutMs: number;
  readonly drainMs: number;
  readonly signal: AbortSignal | undefined;
  readonly observer: Observer<ConsumerEvent> | undefined;
}

const KNOWN = [
  "redis",
  "stream",
  "group",
  "name",
  "batchSize",
  "maxWaitMs",
  "blockMs",
  "prefetch",
  "concurrency",
  "maxBytes",
  "maxDeferred",
  "retry",
  "maxDeliveries",
  "maxOutageMs",
  "retryShare",
  "onAck",
  "leaseMs",
  "maxHoldMs",
  "recoverEveryMs",
  "foreignIdleMs",
  "startFrom",
  "recreateFrom",
  "codec",
  "connectTimeoutMs",
  "drainMs",
  "signal",
  "observer",
] as const satisfies readonly (keyof ConsumerOptions<unknown>)[];

/**
 * Fills in and checks the options.
 *
 * @throws {ConfigError} naming every problem
 */
export function resolveConsumerOptions<Value>(
  options: ConsumerOptions<Value>,
  instance: string,
): ConsumerPolicy<Value> {
  const reader = new OptionsReader("new Consumer", options, KNOWN);
  const service = readService(reader, options, CONSUMER_DEFAULTS);
  const stream = readStream(reader);
  const batchSize = reader.integer("batchSize", { default: CONSUMER_DEFAULTS.batchSize, min: 1, max: 10_000 });
  const leaseMs = reader.integer("leaseMs", { default: CONSUMER_DEFAULTS.leaseMs, min: 500, max: 3_600_000 });
  const retry = resolveRetry(options.retry, reader);
  return reader.finish({
    ...service,
    stream,
    group: reader.name("group"),
    name: reader.name("name", instanceName(instance)),
    batchSize,
    maxWaitMs: reader.integer("maxWaitMs", { default: CONSUMER_DEFAULTS.maxWaitMs, min: 0, max: 3_600_000 }),
    blockMs: Math.min(
      reader.integer("blockMs", { default: CONSUMER_DEFAULTS.blockMs, min: 100, max: 60_000 }),
      Math.floor(leaseMs / 4),
    ),
    prefetch: reader.integer("prefetch", { default: CONSUMER_DEFAULTS.prefetch, min: 0, max: 100 }),
    concurrency: reader.integer("concurrency", { default: CONSUMER_DEFAULTS.concurrency, min: 1, max: 1_000 }),
    maxBytes: reader.integer("maxBytes", { default: CONSUMER_DEFAULTS.maxBytes, min: 1_024, max: 2 ** 31 }),
    maxDeferred: reader.integer("maxDeferred", { default: 10 * batchSize, min: batchSize, max: 1_000_000 }),
    retry,
    maxDeliveries: reader.has("maxDeliveries")
      ? reader.integer("maxDeliveries", { default: 16, min: 1, max: 1_000_000 })
      : undefined,
    maxOutageMs: reader.integer("maxOutageMs", {
      default: CONSUMER_DEFAULTS.maxOutageMs,
      min: 0,
      max: 31_536_000_000,
    }),
    retryShare: reader.number("retryShare", { default: CONSUMER_DEFAULTS.retryShare, min: 0, max: 1 }),
    onAck: reader.oneOf("onAck", ["keep", "delete"], CONSUMER_DEFAULTS.onAck),
    leaseMs,
    heartbeatMs: heartbeatMsOf(leaseMs),
    maxHoldMs: reader.integer("maxHoldMs", { default: HOLD_LEASES * leaseMs, min: 500, max: 86_400_000 }),
    recoverEveryMs: reader.integer("recoverEveryMs", {
      default: CONSUMER_DEFAULTS.recoverEveryMs,
      min: 100,
      max: 3_600_000,
    }),
    foreignIdleMs: reader.integer("foreignIdleMs", {
      default: CONSUMER_DEFAULTS.foreignIdleMs,
      min: 1_000,
      max: 86_400_000,
    }),
    startFrom: resolvePosition("startFrom", options.startFrom ?? CONSUMER_DEFAULTS.startFrom, reader),
    recreateFrom: resolvePosition("recreateFrom", options.recreateFrom ?? CONSUMER_DEFAULTS.recreateFrom, reader),
    // The default codec reads text fields, which is what Value is when no codec is given.
    isDecodedEarly: options.codec !== undefined,
    codec: reader.codec("decode", options.codec ?? (fieldsCodec as unknown as Decoder<Value>)),
    drainMs: reader.integer("drainMs", { default: CONSUMER_DEFAULTS.drainMs, min: 0, max: 3_600_000 }),
    signal: options.signal,
  });
}

function resolveRetry(retry: unknown, outer: OptionsReader): BackoffPolicy {
  return outer.collect(() => {
    const reader = new OptionsReader("retry", retry ?? {}, ["baseMs", "capMs"]);
    const baseMs = reader.integer("baseMs", { default: CONSUMER_DEFAULTS.retry.baseMs, min: 1, max: 3_600_000 });
    const capMs = reader.integer("capMs", { default: CONSUMER_DEFAULTS.retry.capMs, min: 1, max: 86_400_000 });
    if (capMs < baseMs) reader.problem(`retry.capMs (${capMs}) must not be below retry.baseMs (${baseMs})`);
    return reader.finish({ baseMs, capMs });
  }, CONSUMER_DEFAULTS.retry);
}

function resolvePosition(name: string, position: string, reader: OptionsReader): GroupPosition {
  if (position !== "start" && position !== "end" && !isEntryId(position)) {
    reader.problem(`${name} must be "start", "end" or an entry id such as "1700000000000-0"`);
  }
  return position;
}
