/** What producers and consumers take as their option `instrumentation`. */
import { type Context, context, propagation, trace } from "@opentelemetry/api";
import type { AddStart, AddTrace, ProducerInstrumentation } from "@redis-batch/core";
import { AddSpan } from "./add-span.ts";
import { decodeBaggage } from "./baggage.ts";
import { BatchSpans, spanContextOf } from "./batch-spans.ts";
import { SCHEMA_URL } from "./conventions.ts";
import type { FollowedBatch, FollowedMessage, FollowedStart } from "./followed.ts";
import { Meters } from "./meters.ts";
import { type OpenTelemetryOptions, resolveOpenTelemetryOptions } from "./options.ts";

/** What `openTelemetry()` makes: an instrumentation for any number of producers and consumers. */
export interface OpenTelemetryInstrumentation extends ProducerInstrumentation {
  /** For the consumer, which calls it. */
  batch(batch: FollowedBatch, start: FollowedStart): FollowedTrace;
}

/** For the consumer, which calls these. */
export interface FollowedTrace {
  run(handler: () => void): void;
  failed(error: unknown): void;
  ended(): void;
}

/** Who asks for the context of a message has asked for its baggage. */
const ALL = { names: ["*"] };

/** The contexts of batches that are followed. */
const CONTEXTS = new WeakMap<FollowedBatch, Context>();

/**
 * Traces and measures producers and consumers: give it as their option `instrumentation`. One is enough for all of a process.
 *
 * @example
 * const instrumentation = openTelemetry();
 * const producer = new Producer({ redis, stream: "orders", instrumentation });
 * const consumer = new Consumer({ redis, stream: "orders", group: "billing", instrumentation });
 *
 * @throws {ConfigError} naming every option that is wrong
 */
export function openTelemetry(options: OpenTelemetryOptions = {}): OpenTelemetryInstrumentation {
  const { tracerProvider, meterProvider, carryContext, carryBaggage, maxBaggageBytes, ...rest } =
    resolveOpenTelemetryOptions(options);
  const baggage = { names: carryBaggage ?? [], maxBytes: maxBaggageBytes };
  const policy = { ...rest, baggage };
  // The global tracer passes everything on to the provider that is registered later.
  const tracer = (tracerProvider ?? trace).getTracer("@redis-batch/opentelemetry", undefined, {
    schemaUrl: SCHEMA_URL,
  });
  const meters = new Meters(meterProvider);
  return {
    add: (start: AddStart): AddTrace => new AddSpan(tracer, meters, start, { context: carryContext, baggage }),
    batch(batch, start) {
      const spans = new BatchSpans(tracer, meters, policy, batch, start);
      CONTEXTS.set(batch, spans.context);
      return spans;
    },
  };
}

/**
 * The context of a batch from `fetch()` or `for await`: there, what your code does is not below the batch's span by itself. (The
 * handler of `run` is called in this context already.) The active context if the batch is not followed.
 *
 * @example
 * for await (const batch of consumer) {
 *   await context.with(contextOfBatch(batch), () => insertAll(batch));
 * }
 */
export function contextOfBatch(batch: FollowedBatch): Context {
  return CONTEXTS.get(batch) ?? context.active();
}

/**
 * The context in which one message was added, for spans that belong to its own trace, with the baggage that it carries. The active
 * context if it carries none.
 *
 * @example
 * await tracer.startActiveSpan("charge", {}, contextOfMessage(message), async (span) => { … });
 */
export function contextOfMessage(message: FollowedMessage): Context {
  const span = spanContextOf(message);
  if (span === undefined) return context.active();
  const own = trace.setSpanContext(context.active(), span);
  const baggage = decodeBaggage(message.traceContext?.baggage, ALL);
  return baggage === undefined ? own : propagation.setBaggage(own, baggage);
}
