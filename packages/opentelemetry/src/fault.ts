/** An error as a span and a measurement have it. */
import { type Span, SpanStatusCode } from "@opentelemetry/api";
import { RedisBatchError } from "@redis-batch/core";
import { describeThrown, isError, messageOf, placeOf } from "@redis-batch/core/internal/errors";
import { ERROR_TYPE } from "./conventions.ts";

/** Of few different values: the code of an error of ours, the class of another one. */
export function typeOfError(error: unknown): string {
  if (RedisBatchError.is(error)) return error.code;
  const [name] = isError(error) ? describeThrown(error).split(":", 1) : [];
  return name !== undefined && /^\w{1,60}$/.test(name) ? name : "_OTHER";
}

/** Marks the span as failed. The text is that of our own events and dead letters: cut, and without what JSON.parse quotes. */
export function markFailed(span: Span, error: unknown): void {
  const type = typeOfError(error);
  const message = messageOf(error);
  span.setAttribute(ERROR_TYPE, type);
  span.recordException({ name: type, message, stack: `${describeThrown(error)}\n    ${placeOf(error)}`.trimEnd() });
  span.setStatus({ code: SpanStatusCode.ERROR, message });
}
