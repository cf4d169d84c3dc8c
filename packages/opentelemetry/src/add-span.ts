/** One add: its span, which is the context that the message carries, and its measurements. */
import { propagation, type Span, SpanKind, type Tracer } from "@opentelemetry/api";
import type { AddStart, AddTrace, TraceContext } from "@redis-batch/core";
import { type BaggagePolicy, encodeBaggage } from "./baggage.ts";
import { attributesOf, DUPLICATE, ENVELOPE_SIZE, ERROR_TYPE, MESSAGE_ID } from "./conventions.ts";
import { markFailed, typeOfError } from "./fault.ts";
import type { Meters } from "./meters.ts";
import { encodeSpanContext } from "./trace-context.ts";

/** What a message carries. */
export interface Carried {
  /** Whether it carries the context of its trace; without that, nothing else. */
  readonly context: boolean;
  readonly baggage: BaggagePolicy;
}

export class AddSpan implements AddTrace {
  readonly context: TraceContext | undefined;
  readonly #span: Span;
  readonly #meters: Meters;
  readonly #attributes: Readonly<Record<string, string>>;
  readonly #startedMs = performance.now();

  constructor(tracer: Tracer, meters: Meters, { stream, bytes }: AddStart, carries: Carried) {
    this.#attributes = attributesOf("add", stream);
    this.#meters = meters;
    this.#span = tracer.startSpan(`add ${stream}`, {
      kind: SpanKind.PRODUCER,
      attributes: { ...this.#attributes, [ENVELOPE_SIZE]: bytes },
    });
    const own = carries.context ? encodeSpanContext(this.#span.spanContext()) : undefined;
    const baggage = own && encodeBaggage(propagation.getActiveBaggage(), carries.baggage);
    this.context = own && baggage !== undefined ? { ...own, baggage } : own;
  }

  added(id: string, isDuplicate: boolean): void {
    this.#span.setAttribute(MESSAGE_ID, id);
    if (isDuplicate) this.#span.setAttribute(DUPLICATE, true);
    this.#end(this.#attributes);
  }

  failed(error: unknown): void {
    markFailed(this.#span, error);
    this.#end({ ...this.#attributes, [ERROR_TYPE]: typeOfError(error) });
  }

  #end(attributes: Readonly<Record<string, string>>): void {
    const { sent, operationDuration } = this.#meters.instruments;
    sent.add(1, attributes);
    operationDuration.record((performance.now() - this.#startedMs) / 1_000, attributes);
    this.#span.end();
  }
}
