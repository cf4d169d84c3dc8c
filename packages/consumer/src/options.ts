/** Checks the options of a consumer, and fills in what is not given. What each option is stands in `spec.ts`. */
import { types } from "node:util";
import { type Decoder, type Fields, fieldsCodec } from "@redis-batch/core";
import { heartbeatMsOf } from "@redis-batch/core/internal/groups";
import {
  type DefaultsOf,
  defaultsOf,
  type OptionsOf,
  OptionsReader,
  type PolicyOf,
  type WithRedis,
} from "@redis-batch/core/internal/options";
import { instanceName } from "@redis-batch/core/internal/service";
import type { Message } from "./message.ts";
import { CONSUMER_SPEC } from "./spec.ts";

/** The options of a consumer of one stream (`stream`) or of several (`streams`): one of the two must be given. */
export interface ConsumerOptions<Value = Fields> extends WithRedis, OptionsOf<typeof CONSUMER_SPEC> {
  readonly codec?: Decoder<Value> | undefined;
  /**
   * Keeps the messages of one key in order: the name of the field that has the key, or a function of the message that returns
   * it. A message without the field, or one for which the function returns `null`, has no key and no order. One for which it
   * throws or returns anything else goes to the dead letters (`undecodable`).
   */
  readonly orderBy?: string | ((message: Message<Value>) => string | null | undefined) | undefined;
}

/** The values of options that are not given. */
export const CONSUMER_DEFAULTS: DefaultsOf<typeof CONSUMER_SPEC> = defaultsOf(CONSUMER_SPEC);

/** The options, complete and checked. */
export interface ConsumerPolicy<Value> extends Omit<PolicyOf<typeof CONSUMER_SPEC>, "stream" | "maxDeferred"> {
  readonly maxDeferred: number;
  /** The streams that are read; of a stream with partitions those of the partitions. */
  readonly streams: readonly string[];
  readonly name: string;
  /** The stream; of several the one that this policy is for. With partitions the logical stream, or the partition's. */
  readonly stream: string;
  readonly codec: Decoder<Value>;
  /** Whether this consumer must be the only one of its group. */
  readonly isAlone: boolean;
  /** Whether nobody else gets messages of the stream while this consumer does: it is alone in the group, or owns the partition. */
  readonly isOnlyReader: boolean;
  /** How often the heartbeat goes out, in milliseconds. */
  readonly heartbeatMs: number;
  /** Whether values are decoded when messages arrive, so that one that cannot be is never offered. */
  readonly isDecodedEarly: boolean;
}

/**
 * Fills in and checks the options.
 *
 * @throws {ConfigError} naming every problem
 */
export function resolveConsumerOptions<Value>(
  options: ConsumerOptions<Value>,
  instance: string,
): ConsumerPolicy<Value> {
  const reader = new OptionsReader("new Consumer", options, Object.keys(CONSUMER_SPEC));
  const policy = reader.read(CONSUMER_SPEC, {
    instrumentation: (given) => (typeof given.batch === "function" ? undefined : "have a method batch()"),
    orderBy: (value) =>
      isKeyReader(value) ? undefined : "be the name of a field, or a function that returns a text at once",
  });
  if (reader.has("stream") === reader.has("streams")) {
    reader.problem(
      reader.has("stream") ? "stream and streams cannot both be given" : "stream is missing, or streams for several",
    );
  }
  if (options.orderBy === undefined && reader.has("orderScope")) {
    reader.problem("orderScope is of no use without orderBy");
  } else if (policy.partitions !== undefined && reader.has("orderScope")) {
    reader.problem("orderScope is of no use with partitions, which are in order anyway");
  }
  const { stream = "", partitions } = policy;
  if (partitions === undefined && reader.has("rebalanceGraceMs")) {
    reader.problem("rebalanceGraceMs is of no use without partitions");
  }
  if (partitions !== undefined && reader.has("streams"))
    reader.problem("partitions are those of one stream, not of streams");
  const streams = policy.streams ?? reader.streamsOf(stream, partitions);
  if (partitions !== undefined && policy.rateLimit !== undefined) {
    reader.problem("rateLimit is kept for one stream, and cannot be given with partitions");
  }
  const isAlone = options.orderBy !== undefined && policy.orderScope === "group" && partitions === undefined;
  // Whatever is in memory when the process dies has been delivered once, although no handler had it.
  if (policy.maxDeliveries === 1 && (streams.length > 1 || options.orderBy !== undefined)) {
    reader.problem(
      "maxDeliveries of 1 cannot be kept with several streams, partitions or orderBy, which hold messages in memory",
    );
  }
  return reader.finish({
    ...{ ...policy, streams, stream: policy.stream ?? streams[0] ?? "" },
    name: policy.name ?? instanceName(instance),
    // What waits behind others has to be known here, and is some hundred bytes each.
    maxDeferred: policy.maxDeferred ?? (options.orderBy === undefined ? 10 * policy.batchSize : 100_000),
    blockMs: Math.min(policy.blockMs, Math.floor(policy.leaseMs / 4)),
    heartbeatMs: heartbeatMsOf(policy.leaseMs),
    ...{ isAlone, isOnlyReader: isAlone },
    // The default codec reads text fields, which is what Value is when no codec is given.
    isDecodedEarly: options.codec !== undefined,
    codec: options.codec ?? (fieldsCodec as unknown as Decoder<Value>),
  });
}

/** The policy for one of the streams of a consumer. */
export function policyOfStream<Value>(policy: ConsumerPolicy<Value>, stream: string): ConsumerPolicy<Value> {
  const isPartition = policy.partitions !== undefined;
  if (policy.streams.length === 1 && !isPartition) return policy;
  const { min } = CONSUMER_SPEC.maxBytes;
  return {
    ...policy,
    stream,
    isOnlyReader: policy.isAlone || isPartition,
    maxBytes: Math.max(min, Math.floor(policy.maxBytes / policy.streams.length)),
  };
}

/** With a function that cannot return a key at once, every message would end in the dead letters. */
function isKeyReader(value: unknown): boolean {
  if (typeof value !== "function") return typeof value === "string" && value !== "";
  const isClass = /^class\b/.test(Function.prototype.toString.call(value));
  return !isClass && !types.isAsyncFunction(value) && !types.isGeneratorFunction(value);
}
