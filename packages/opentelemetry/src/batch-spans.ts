/**
 * One batch: spans for its way through your code, and measurements.
 *
 *     receive   from when the first of its messages has arrived in this process, until your code gets the batch
 *     └ process   until the batch has ended; what the handler does is below it
 *       └ settle    until the server has confirmed every outcome
 */
import {
  type Context,
  context,
  type Link,
  propagation,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import { parseTraceContext } from "@redis-batch/core/internal/messages";
import { guardInstrumentation } from "@redis-batch/core/internal/service";
import { type BaggagePolicy, decodeBaggage } from "./baggage.ts";
import * as names from "./conventions.ts";
import { markFailed, typeOfError } from "./fault.ts";
import type { FollowedBatch, FollowedMessage, FollowedStart, FoundContext, SettledIds } from "./followed.ts";
import type { Meters } from "./meters.ts";
import { decodeSpanContext } from "./trace-context.ts";

export interface BatchPolicy {
  readonly joinTrace: boolean;
  readonly maxLinks: number;
  readonly baggage: Pick<BaggagePolicy, "names">;
  readonly contextOf: ((message: FollowedMessage) => FoundContext | undefined) | undefined;
}

/** The span that added each message. */
type Origins = readonly (SpanContext | undefined)[];

export class BatchSpans {
  /** What your code does with the batch belongs to this. */
  readonly context: Context;
  readonly #tracer: Tracer;
  readonly #meters: Meters;
  readonly #batch: FollowedBatch;
  readonly #group: string;
  readonly #common: Readonly<Record<string, string | number>>;
  readonly #process: Span;
  readonly #startedMs = performance.now();
  #failure: { readonly error: unknown } | undefined;

  constructor(tracer: Tracer, meters: Meters, policy: BatchPolicy, batch: FollowedBatch, start: FollowedStart) {
    this.#tracer = tracer;
    this.#meters = meters;
    this.#batch = batch;
    this.#group = start.group;
    this.#common = {
      ...{ [names.GROUP]: start.group, [names.CLIENT_ID]: start.consumer },
      ...{ [names.BATCH_ID]: batch.id, [names.MESSAGE_COUNT]: batch.size },
    };
    const { messages } = batch;
    const spans = messages.map((message) => spanContextOf(message, policy.contextOf));
    const links = linksOf(messages, spans, policy.maxLinks);
    // A loop may have been started inside some span that is long over.
    const base = parentOf(start.isFetched ? context.active() : ROOT_CONTEXT, spans, policy.joinTrace);
    const parent = withBaggage(base, messages, policy.baggage);
    const nowMs = Date.now();
    const receive = this.#span("receive", {
      ...{ kind: SpanKind.CLIENT, links, parent, startTime: nowMs - start.waitedMs },
    });
    receive.end(nowMs);
    meters.instruments.consumed.add(batch.size, this.#measured("receive"));
    const redelivered = messages.reduce((count, { deliveries }) => count + (deliveries > 1 ? 1 : 0), 0);
    this.#process = this.#span("process", {
      ...{ kind: SpanKind.CONSUMER, links, startTime: nowMs },
      ...{ parent: trace.setSpan(parent, receive), attributes: { [names.REDELIVERED]: redelivered } },
    });
    this.context = trace.setSpan(parent, this.#process);
  }

  run(handler: () => void): void {
    context.with(this.context, handler);
  }

  failed(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = { error };
    markFailed(this.#process, error);
  }

  ended(): void {
    const { processDuration } = this.#meters.instruments;
    processDuration.record(this.#secondsSince(this.#startedMs), this.#measured("process", this.#failure));
    this.#process.end();
    void this.#followSettling(this.#span("settle", { kind: SpanKind.CLIENT, parent: this.context }));
  }

  async #followSettling(span: Span): Promise<void> {
    const startedMs = performance.now();
    // Never rejects: what cannot be confirmed is told as open.
    const settled = await this.#batch.settled();
    guardInstrumentation(() => {
      describe(span, settled);
      const { operationDuration } = this.#meters.instruments;
      operationDuration.record(this.#secondsSince(startedMs), this.#measured("settle"));
      span.end();
    });
  }

  #span(
    operation: names.Operation,
    {
      parent,
      attributes,
      ...options
    }: {
      readonly kind: SpanKind;
      readonly parent: Context;
      readonly links?: Link[];
      readonly startTime?: number;
      readonly attributes?: Readonly<Record<string, number>>;
    },
  ): Span {
    const stream = this.#stream;
    const all = { ...names.attributesOf(operation, stream), ...this.#common, ...attributes };
    return this.#tracer.startSpan(`${operation} ${stream}`, { ...options, attributes: all }, parent);
  }

  /** Of few different values: no consumer, and no batch. */
  #measured(operation: names.Operation, failure?: { readonly error: unknown }): Record<string, string> {
    return {
      ...{ ...names.attributesOf(operation, this.#stream), [names.GROUP]: this.#group },
      ...(failure !== undefined && { [names.ERROR_TYPE]: typeOfError(failure.error) }),
    };
  }

  get #stream(): string {
    return this.#batch.stream ?? "";
  }

  #secondsSince(startedMs: number): number {
    return (performance.now() - startedMs) / 1_000;
  }
}

/** The span that added a message; `undefined`: unknown. */
export function spanContextOf(message: FollowedMessage, contextOf?: BatchPolicy["contextOf"]): SpanContext | undefined {
  const { traceContext } = message;
  if (traceContext !== undefined || contextOf === undefined) return decodeSpanContext(traceContext);
  const read = guardInstrumentation(() => contextOf(message));
  return decodeSpanContext(parseTraceContext(read?.traceparent, read?.tracestate));
}

function linksOf(messages: readonly FollowedMessage[], spans: Origins, maxLinks: number): Link[] {
  const links: Link[] = [];
  for (const [index, span] of spans.entries()) {
    if (links.length === maxLinks) break;
    const { id, deliveries } = messages[index] as FollowedMessage;
    const attributes = { [names.MESSAGE_ID]: id, [names.DELIVERY_COUNT]: deliveries };
    if (span !== undefined) links.push({ context: span, attributes });
  }
  return links;
}

/** What the batch belongs to: who called `fetch()`, the one trace of its messages, or nothing. */
function parentOf(base: Context, spans: Origins, joinTrace: boolean): Context {
  const [first] = spans;
  const isJoined = joinTrace && first !== undefined && trace.getSpan(base) === undefined;
  if (!isJoined || spans.some((span) => span?.traceId !== first.traceId)) return base;
  return trace.setSpanContext(base, first);
}

/** With the baggage of its messages, if all carry the same, and who called `fetch()` has none. */
function withBaggage(base: Context, messages: readonly FollowedMessage[], policy: BatchPolicy["baggage"]): Context {
  if (policy.names.length === 0 || propagation.getBaggage(base) !== undefined) return base;
  const text = messages[0]?.traceContext?.baggage;
  if (text === undefined || messages.some(({ traceContext }) => traceContext?.baggage !== text)) return base;
  const baggage = decodeBaggage(text, policy);
  return baggage === undefined ? base : propagation.setBaggage(base, baggage);
}

/** What became of the messages, as numbers. An outcome without an effect is an error: somebody else may have done the work, too. */
function describe(settle: Span, settled: SettledIds): void {
  for (const [end, ids] of Object.entries(settled) as [keyof SettledIds, readonly string[]][]) {
    if (ids.length > 0) settle.setAttribute(`${names.SETTLED}.${ENDS[end]}`, ids.length);
  }
  const { length: tooLate } = settled.tooLate;
  if (tooLate === 0) return;
  settle.setAttribute(names.ERROR_TYPE, "too_late");
  settle.setStatus({ code: SpanStatusCode.ERROR, message: `too late: ${tooLate} of the outcomes had no effect` });
}

const ENDS: Readonly<Record<keyof SettledIds, string>> = {
  ...{ acknowledged: "acknowledged", retried: "retried", deadLettered: "dead_lettered" },
  ...{ tooLate: "too_late", open: "open" },
};
