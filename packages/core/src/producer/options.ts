import { type Encoder, type FieldsInput, fieldsCodec } from "../codecs/codec.ts";
import type { EntryId } from "../names/entry-id.ts";
import { OptionsReader } from "../options/options-reader.ts";
import { readService } from "../options/service-options.ts";
import type { RedisSource } from "../redis/open-client.ts";
import type { Observer } from "../service/observer.ts";
import type { Trim } from "../wire/xadd.ts";
import type { ProducerEvent } from "./events.ts";

/** What becomes of an add while there is no connection: it waits for its turn, or is refused at once. */
export type WhileAway = "queue" | "fail";

export interface ProducerOptions<Value = FieldsInput> {
  /**
   * Where Redis is: a URL (`redis://`, `rediss://`, `unix://`), ioredis options (Sentinel's too), or an ioredis
   * `Redis` or `Cluster`, which is duplicated and never used or closed itself.
   */
  readonly redis: RedisSource;
  /** The stream's key. It is created by the first message. */
  readonly stream: string;
  /** How a value becomes fields, at once: a promise is refused. Default: the value is the fields. See `jsonCodec` and `withSchema`. */
  readonly codec?: Encoder<Value> | undefined;
  /**
   * What becomes of an add while there is no connection. `"queue"` (default): it waits up to `queueTimeoutMs` and is
   * sent, in order, when the connection is there. `"fail"`: it is refused at once, except that before the first
   * connection it waits up to `connectTimeoutMs`. Either way the refusal is a `ConnectionError` with the outcome
   * `not-sent`.
   */
  readonly whileAway?: WhileAway | undefined;
  /** How long an add waits for a connection, in milliseconds, 1 to 86,400,000. Default 30,000. */
  readonly queueTimeoutMs?: number | undefined;
  /**
   * Messages accepted and not yet confirmed at most, 1 to 10,000,000. Default 10,000. Beyond it `add` rejects at once
   * with a `QueueFullError`; `addMany` and `addEach` wait, and leave half of it to `add`. Large values cost memory
   * (about 1 KiB a message) while the server is away or slow.
   */
  readonly maxQueued?: number | undefined;
  /**
   * Payload bytes accepted and not yet confirmed at most, 1,024 to 2^33. Default 16 MiB. A single larger message is
   * accepted when nothing else waits.
   */
  readonly maxQueuedBytes?: number | undefined;
  /**
   * How long an add with an idempotency key is tried again after its first failed attempt, in milliseconds, 0 to
   * 3,600,000. Default 30,000. Shorter than a failover takes: the caller has to retry after one.
   */
  readonly retryForMs?: number | undefined;
  /**
   * How long the server remembers an idempotency key, in milliseconds, 1,000 to 2,592,000,000. Default 3,600,000. A
   * repetition after that adds the message again; each remembered key costs the server about 150 bytes. Must be longer
   * than `retryForMs`.
   */
  readonly rememberKeysMs?: number | undefined;
  /**
   * Keep about the newest so many entries, 1 to 2^53-1; drop older ones with every add, read or not. Not set by
   * default; needs `allowUnreadLoss`.
   */
  readonly maxLen?: number | undefined;
  /**
   * Keep the entries from this id on; drop older ones with every add, read or not. A complete entry id, or its
   * milliseconds alone. Not set by default; needs `allowUnreadLoss`.
   */
  readonly minId?: EntryId | undefined;
  /**
   * Whether `maxLen` and `minId` drop whole nodes only: much cheaper, and up to about a hundred entries more stay.
   * Default `true`.
   */
  readonly approximate?: boolean | undefined;
  /**
   * Says that messages may be lost that no consumer has read, which is what `maxLen` and `minId` do to a consumer that
   * falls behind. Default `false`. To drop only what every group is done with, use the consumer's `onAck: "delete"` or
   * the monitor's retention instead.
   */
  readonly allowUnreadLoss?: boolean | undefined;
  /** How long the first connection may take, in milliseconds, 100 to 600,000. Default 30,000. Later ones are awaited. */
  readonly connectTimeoutMs?: number | undefined;
  /** How long `close()` waits for the messages under way, in milliseconds, 0 to 3,600,000. Default 10,000. */
  readonly closeTimeoutMs?: number | undefined;
  /** Receives every event. Without one, a connection that cannot be had is reported as a process warning. */
  readonly observer?: Observer<ProducerEvent> | undefined;
}

/** The values of options that are not given. */
export const PRODUCER_DEFAULTS = {
  whileAway: "queue",
  queueTimeoutMs: 30_000,
  maxQueued: 10_000,
  maxQueuedBytes: 16_777_216,
  retryForMs: 30_000,
  rememberKeysMs: 3_600_000,
  approximate: true,
  allowUnreadLoss: false,
  connectTimeoutMs: 30_000,
  closeTimeoutMs: 10_000,
} as const;

/** The options, complete and checked. */
export interface ProducerPolicy<Value> {
  readonly redis: RedisSource;
  readonly stream: string;
  readonly codec: Encoder<Value>;
  readonly whileAway: WhileAway;
  readonly queueTimeoutMs: number;
  readonly maxQueued: number;
  readonly maxQueuedBytes: number;
  readonly retryForMs: number;
  readonly rememberKeysMs: number;
  readonly trim: Trim | undefined;
  readonly connectTimeoutMs: number;
  readonly closeTimeoutMs: number;
  readonly observer: Observer<ProducerEvent> | undefined;
}

const KNOWN = [
  "redis",
  "stream",
  "codec",
  "whileAway",
  "queueTimeoutMs",
  "maxQueued",
  "maxQueuedBytes",
  "retryForMs",
  "rememberKeysMs",
  "maxLen",
  "minId",
  "approximate",
  "allowUnreadLoss",
  "connectTimeoutMs",
  "closeTimeoutMs",
  "observer",
] as const satisfies readonly (keyof ProducerOptions)[];

/**
 * Fills in and checks the options.
 *
 * @throws {ConfigError} naming every problem
 */
export function resolveProducerOptions<Value>(options: ProducerOptions<Value>): ProducerPolicy<Value> {
  const reader = new OptionsReader("new Producer", options, KNOWN);
  const milliseconds = (
    name: "queueTimeoutMs" | "retryForMs" | "rememberKeysMs" | "closeTimeoutMs",
    min: number,
    max: number,
  ): number => reader.integer(name, { default: PRODUCER_DEFAULTS[name], min, max });
  const service = readService(reader, options, PRODUCER_DEFAULTS);
  const retryForMs = milliseconds("retryForMs", 0, 3_600_000);
  const rememberKeysMs = milliseconds("rememberKeysMs", 1_000, 2_592_000_000);
  if (rememberKeysMs <= retryForMs) {
    reader.problem(
      `rememberKeysMs (${rememberKeysMs}) must be longer than retryForMs (${retryForMs}), or a late retry adds twice`,
    );
  }
  return reader.finish({
    ...service,
    stream: reader.name("stream"),
    codec: resolveCodec(options.codec, reader),
    whileAway: reader.oneOf("whileAway", ["queue", "fail"], PRODUCER_DEFAULTS.whileAway),
    queueTimeoutMs: milliseconds("queueTimeoutMs", 1, 86_400_000),
    maxQueued: reader.integer("maxQueued", { default: PRODUCER_DEFAULTS.maxQueued, min: 1, max: 10_000_000 }),
    maxQueuedBytes: reader.integer("maxQueuedBytes", {
      default: PRODUCER_DEFAULTS.maxQueuedBytes,
      min: 1_024,
      max: 2 ** 33,
    }),
    retryForMs,
    rememberKeysMs,
    trim: resolveTrim(options, reader),
    closeTimeoutMs: milliseconds("closeTimeoutMs", 0, 3_600_000),
  });
}

function resolveCodec<Value>(codec: Encoder<Value> | undefined, reader: OptionsReader): Encoder<Value> {
  // The default codec takes fields, which is what Value is when no codec is given.
  if (codec === undefined) return fieldsCodec as Encoder<unknown>;
  return reader.codec("encode", codec);
}

function resolveTrim(
  options: Pick<ProducerOptions<never>, "maxLen" | "minId">,
  reader: OptionsReader,
): Trim | undefined {
  const approximate = reader.flag("approximate", PRODUCER_DEFAULTS.approximate);
  const allowUnreadLoss = reader.flag("allowUnreadLoss", PRODUCER_DEFAULTS.allowUnreadLoss);
  const { maxLen, minId } = options;
  const strategy = maxLen !== undefined ? "maxLen" : minId !== undefined ? "minId" : undefined;
  if (strategy === undefined) {
    if (reader.has("approximate")) reader.problem("approximate has no meaning without maxLen or minId");
    return undefined;
  }
  if (maxLen !== undefined && minId !== undefined) reader.problem("maxLen and minId exclude each other; give one");
  if (!allowUnreadLoss) {
    reader.problem(
      `${strategy} drops messages that no consumer has read when consumers fall behind, and so breaks "at least once"; ` +
        "set allowUnreadLoss: true if that may happen, or let the consumer (onAck) or the monitor (retention) drop " +
        "only what every group is done with",
    );
  }
  if (strategy === "minId") {
    if (typeof minId !== "string" || !/^\d{1,20}(-\d{1,20})?$/.test(minId)) {
      reader.problem('minId must be an entry id such as "1700000000000-0", or its milliseconds');
    }
    return { strategy, threshold: minId ?? "", approximate };
  }
  const threshold = reader.integer("maxLen", { default: 1, min: 1, max: Number.MAX_SAFE_INTEGER });
  return { strategy, threshold, approximate };
}
