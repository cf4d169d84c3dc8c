/** Checks the options of a consumer, and fills in what is not given. What each option is stands in `spec.ts`. */
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
import { CONSUMER_SPEC } from "./spec.ts";

/** The options of a consumer of one stream (`stream`) or of several (`streams`): one of the two must be given. */
export interface ConsumerOptions<Value = Fields> extends WithRedis, OptionsOf<typeof CONSUMER_SPEC> {
  readonly codec?: Decoder<Value> | undefined;
}

/** The values of options that are not given. */
export const CONSUMER_DEFAULTS: DefaultsOf<typeof CONSUMER_SPEC> = defaultsOf(CONSUMER_SPEC);

/** The options, complete and checked. */
export interface ConsumerPolicy<Value> extends Omit<PolicyOf<typeof CONSUMER_SPEC>, "stream"> {
  readonly streams: readonly string[];
  readonly name: string;
  /** The stream; of several the one that this policy is for. */
  readonly stream: string;
  readonly codec: Decoder<Value>;
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
  const policy = reader.read(CONSUMER_SPEC);
  if (reader.has("stream") === reader.has("streams")) {
    reader.problem(
      reader.has("stream") ? "stream and streams cannot both be given" : "stream is missing, or streams for several",
    );
  }
  const streams = policy.streams ?? [policy.stream ?? ""];
  return reader.finish({
    ...{ ...policy, streams, stream: streams[0] ?? "" },
    name: policy.name ?? instanceName(instance),
    blockMs: Math.min(policy.blockMs, Math.floor(policy.leaseMs / 4)),
    heartbeatMs: heartbeatMsOf(policy.leaseMs),
    // The default codec reads text fields, which is what Value is when no codec is given.
    isDecodedEarly: options.codec !== undefined,
    codec: options.codec ?? (fieldsCodec as unknown as Decoder<Value>),
  });
}

/** The policy for one of the streams of a consumer. */
export function policyOfStream<Value>(policy: ConsumerPolicy<Value>, stream: string): ConsumerPolicy<Value> {
  if (policy.streams.length === 1) return policy;
  const { min } = CONSUMER_SPEC.maxBytes;
  return { ...policy, stream, maxBytes: Math.max(min, Math.floor(policy.maxBytes / policy.streams.length)) };
}
