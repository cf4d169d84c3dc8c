/** Between the context that a message carries and that of OpenTelemetry. */
import { createTraceState, isSpanContextValid, type SpanContext, TraceFlags } from "@opentelemetry/api";
import type { TraceContext } from "@redis-batch/core";

// Version, trace, span, flags. Core has checked it; that of a later version has more behind it.
const PARTS = /^[0-9a-f]{2}-(?<traceId>[0-9a-f]{32})-(?<spanId>[0-9a-f]{16})-(?<flags>[0-9a-f]{2})/;

/** What a message carries of a span; `undefined` where no SDK is at work. */
export function encodeSpanContext(span: SpanContext): TraceContext | undefined {
  if (!isSpanContextValid(span)) return undefined;
  const { traceId, spanId, traceFlags, traceState } = span;
  const isSampled = (traceFlags & TraceFlags.SAMPLED) !== 0;
  return { traceparent: `00-${traceId}-${spanId}-${isSampled ? "01" : "00"}`, tracestate: traceState?.serialize() };
}

/** The span that a context names; `undefined` if it names none. */
export function decodeSpanContext(context: TraceContext | undefined): SpanContext | undefined {
  const { traceId, spanId, flags } = PARTS.exec(context?.traceparent ?? "")?.groups ?? {};
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  const traceFlags = Number.parseInt(flags, 16) & TraceFlags.SAMPLED;
  const span: SpanContext = { traceId, spanId, traceFlags, isRemote: true };
  if (!isSpanContextValid(span)) return undefined;
  // Its successor is in a package that would be a dependency. The API without it is beyond the range of the peer.
  // oxlint-disable-next-line typescript/no-deprecated
  return context?.tracestate === undefined ? span : { ...span, traceState: createTraceState(context.tracestate) };
}
