/** The options of the instrumentation. Each is written here, and nowhere else. */
import type { MeterProvider, TracerProvider } from "@opentelemetry/api";
import type { OptionSpecs } from "@redis-batch/core/internal/options";
import type { FollowedMessage, FoundContext } from "./followed.ts";

export const OPEN_TELEMETRY_SPEC = {
  /** Whose tracers make the spans. Default: the global one, also if it is registered later. */
  tracerProvider: {
    ...{ kind: "own", value: {} as TracerProvider, otherwise: "the global one" },
    about: "whose tracers make the spans",
  },
  /** Whose meters count and measure. Default: the global one, also if it is registered later. */
  meterProvider: {
    ...{ kind: "own", value: {} as MeterProvider, otherwise: "the global one" },
    about: "whose meters count and measure",
  },
  /**
   * Whether a producer writes the context of the trace into each entry, as the fields `rb:traceparent` and, where there is one,
   * `rb:tracestate`, about 80 bytes. Default `true`. Consumers of Redis Batch take them out of `fields`; other clients see them.
   */
  carryContext: {
    ...{ kind: "flag", default: true },
    about: "write the context of the trace into each entry, as the field `rb:traceparent`",
  },
  /**
   * The names of the baggage that travels with a message, as the field `rb:baggage` of its entry; `"*"` is all of it. A producer
   * writes what it finds in the context of `add`, if that has a span; a consumer gives a batch those that all of its messages
   * have alike. Default: none, because baggage may be confidential, and each service passes it on.
   */
  carryBaggage: {
    ...{ kind: "own", value: [] as readonly string[], otherwise: "none" },
    about: 'names of the baggage that travels with messages, as the field `rb:baggage`; `"*"` is all of it',
  },
  /** The size of that field at most, in bytes, 1 to 8,192. Default 1,024. What does not fit is left out, entry by entry. */
  maxBaggageBytes: {
    ...{ kind: "integer", min: 1, max: 8_192, default: 1_024 },
    about: "maximum size of that field, in bytes; what does not fit is left out, entry by entry",
  },
  /**
   * Whether the spans of a batch belong to the trace of its messages, if all are of one trace. Default `true`. Otherwise, and
   * always if `false`, they are a trace of their own that links to those of the messages.
   */
  joinTrace: {
    ...{ kind: "flag", default: true },
    about: "a batch whose messages are all of one trace belongs to that trace",
  },
  /**
   * Links from a batch to the spans that added its messages, at most, 0 to 10,000. Default 128, the limit of the SDK: what is
   * beyond has no link, and is counted in `messaging.batch.message_count`.
   */
  maxLinks: {
    ...{ kind: "integer", min: 0, max: 10_000, default: 128 },
    about: "maximum links from a batch to the spans that added its messages",
  },
  /**
   * Reads the context of messages that other producers have written in their own way, such as into a field `traceparent`. Called
   * for messages without `rb:traceparent`. What is not well-formed is ignored. Default: such messages have none.
   */
  contextOf: {
    ...{
      kind: "function",
      value: {} as (message: FollowedMessage) => FoundContext | undefined,
      otherwise: "none",
    },
    about: "reads the context of messages of other producers, such as from a field `traceparent`",
  },
} as const satisfies OptionSpecs;
