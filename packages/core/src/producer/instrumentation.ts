/** Following a message from its producer on, for tracing and metrics. */
import type { EntryId } from "../names/entry-id.ts";
import { guardInstrumentation } from "../service/guard-instrumentation.ts";
import { encodeTraceContext, parseTraceContext, type TraceContext } from "../wire/trace-context.ts";

/**
 * Follows the messages of a producer, such as `openTelemetry()` of `@redis-batch/opentelemetry`. Its methods are called at once,
 * must not block, and see no payload. An error that they throw is a process warning and stops nothing.
 */
export interface ProducerInstrumentation {
  /** A message was accepted and is about to be sent. Called in the context of the call of `add`. `undefined`: not followed. */
  add(start: AddStart): AddTrace | undefined;
}

/** A message that is about to be sent. */
export interface AddStart {
  readonly stream: string;
  /** The size of its payload, names included. */
  readonly bytes: number;
}

/** One message that is followed. One of the two methods is called, once. */
export interface AddTrace {
  /** What its entry carries to those who read it; `undefined`: nothing. One that is not well-formed is not written. */
  readonly context: TraceContext | undefined;
  /** The server has confirmed it as the entry `id`. `isDuplicate`: an add with the same idempotency key had added it. */
  added(id: EntryId, isDuplicate: boolean): void;
  /** It was not confirmed; `error` is what its promise rejects with. */
  failed(error: unknown): void;
}

/** Begins to follow a message → what to call at its end, and the fields that carry its context. */
export function followAdd(
  instrumentation: ProducerInstrumentation,
  start: AddStart,
): { readonly fields: readonly string[]; readonly end: Omit<AddTrace, "context"> } | undefined {
  const trace = guardInstrumentation(() => instrumentation.add(start));
  if (trace === undefined) return undefined;
  const context = guardInstrumentation(
    () =>
      trace.context && parseTraceContext(trace.context.traceparent, trace.context.tracestate, trace.context.baggage),
  );
  return {
    fields: context === undefined ? [] : encodeTraceContext(context),
    end: {
      added: (id, isDuplicate) => guardInstrumentation(() => trace.added(id, isDuplicate)),
      failed: (error) => guardInstrumentation(() => trace.failed(error)),
    },
  };
}
