import { type Encoder, type FieldsInput, fieldsCodec } from "../codecs/codec.ts";
import { type DefaultsOf, defaultsOf, type OptionsOf, type PolicyOf, type WithRedis } from "../options/option-spec.ts";
import { OptionsReader } from "../options/options-reader.ts";
import type { Trim } from "../wire/xadd.ts";
import { PRODUCER_SPEC } from "./spec.ts";

type Spec = typeof PRODUCER_SPEC;

export interface ProducerOptions<Value = FieldsInput> extends WithRedis, OptionsOf<Spec> {
  readonly codec?: Encoder<Value> | undefined;
}

/** What becomes of an add while there is no connection: it waits for its turn, or is refused at once. */
export type WhileAway = PolicyOf<Spec>["whileAway"];

/** The values of options that are not given. */
export const PRODUCER_DEFAULTS: DefaultsOf<Spec> = defaultsOf(PRODUCER_SPEC);

type Trimming = "maxLen" | "minId" | "approximate" | "allowUnreadLoss";

/** The options, complete and checked. */
export interface ProducerPolicy<Value> extends Omit<PolicyOf<Spec>, Trimming> {
  /** The streams to which messages are added: the stream itself, or those of its partitions. */
  readonly streams: readonly string[];
  readonly codec: Encoder<Value>;
  readonly trim: Trim | undefined;
}

/**
 * Fills in and checks the options.
 *
 * @throws {ConfigError} naming every problem
 */
export function resolveProducerOptions<Value>(options: ProducerOptions<Value>): ProducerPolicy<Value> {
  const reader = new OptionsReader("new Producer", options, Object.keys(PRODUCER_SPEC));
  const { maxLen, minId, approximate, allowUnreadLoss, ...policy } = reader.read(PRODUCER_SPEC, {
    instrumentation: (given) => (typeof given.add === "function" ? undefined : "have a method add()"),
    minId: (id) =>
      typeof id === "string" && /^\d{1,20}(-\d{1,20})?$/.test(id)
        ? undefined
        : 'be an entry id such as "1700000000000-0", or its milliseconds',
  });
  const { retryForMs, rememberKeysMs } = policy;
  if (rememberKeysMs <= retryForMs) {
    reader.problem(
      `rememberKeysMs (${rememberKeysMs}) must be longer than retryForMs (${retryForMs}), or a late retry adds twice`,
    );
  }
  const { stream, partitions } = policy;
  return reader.finish({
    ...policy,
    streams: reader.streamsOf(stream, partitions),
    // The default codec takes fields, which is what Value is when no codec is given.
    codec: options.codec ?? (fieldsCodec as Encoder<unknown>),
    trim: resolveTrim({ maxLen, minId, approximate, allowUnreadLoss }, reader),
  });
}

function resolveTrim(options: Pick<PolicyOf<Spec>, Trimming>, reader: OptionsReader): Trim | undefined {
  const { maxLen, minId, approximate, allowUnreadLoss } = options;
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
        "only what every group has finished",
    );
  }
  if (maxLen !== undefined) return { strategy: "maxLen", threshold: maxLen, approximate };
  return { strategy: "minId", threshold: minId ?? "", approximate };
}
