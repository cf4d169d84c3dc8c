/**
 * The context of a trace, as an entry carries it: in fields of its own behind those of the application, `rb:traceparent` last
 * and before it, where there are such, `rb:baggage` and `rb:tracestate`. So one look at the last name tells whether there is any.
 */
import type { RawFields } from "./entry.ts";

/** Which trace a message belongs to, as the W3C's recommendation "Trace Context" writes it. */
export interface TraceContext {
  /** Such as `00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01`: version, trace, span, flags. */
  readonly traceparent: string;
  /** What tracing systems add to it, up to 512 characters; `undefined`: nothing. */
  readonly tracestate: string | undefined;
  /** What the application adds to it, as the W3C's recommendation "Baggage" writes it, up to 8,192 characters. */
  readonly baggage?: string | undefined;
}

const TRACEPARENT = "rb:traceparent";
const TRACESTATE = "rb:tracestate";
const BAGGAGE = "rb:baggage";
const TRACEPARENT_BYTES = Buffer.from(TRACEPARENT);
const TRACESTATE_BYTES = Buffer.from(TRACESTATE);
const BAGGAGE_BYTES = Buffer.from(BAGGAGE);

// That of a later version may be longer. Anything longer than this is ignored.
const LONGEST_TRACEPARENT = 128;
const LONGEST_TRACESTATE = 512;
const LONGEST_BAGGAGE = 8_192;
// Neither the version ff nor ids of zeros only exist.
const WELL_FORMED = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-[\x21-\x7e]*)?$/;
const PRINTABLE = /^[\x20-\x7e]+$/;

/** The context, checked; `undefined` if its `traceparent` is not well-formed. Of the rest, what is not is left out. */
export function parseTraceContext(
  traceparent: unknown,
  tracestate?: unknown,
  baggage?: unknown,
): TraceContext | undefined {
  if (typeof traceparent !== "string" || traceparent.length > LONGEST_TRACEPARENT) return undefined;
  if (!WELL_FORMED.test(traceparent)) return undefined;
  // Version 00 ends here.
  if (traceparent.startsWith("00") && traceparent.length !== 55) return undefined;
  const context = { traceparent, tracestate: isPrintable(tracestate, LONGEST_TRACESTATE) ? tracestate : undefined };
  return isPrintable(baggage, LONGEST_BAGGAGE) ? { ...context, baggage } : context;
}

const isPrintable = (text: unknown, longest: number): text is string =>
  typeof text === "string" && text.length <= longest && PRINTABLE.test(text);

/** The fields that carry it: name, value, name, value … */
export function encodeTraceContext({ traceparent, tracestate, baggage }: TraceContext): readonly string[] {
  return [
    ...(baggage === undefined ? [] : [BAGGAGE, baggage]),
    ...(tracestate === undefined ? [] : [TRACESTATE, tracestate]),
    ...[TRACEPARENT, traceparent],
  ];
}

/** How many of an entry's fields carry a context: 0 to 3. Of each the start and the end in `bytes` are given. */
export function traceFieldsAmong(bytes: Buffer, bounds: readonly number[]): number {
  const last = bounds.length - 4;
  if (last < 0 || !isNamed(TRACEPARENT_BYTES, bytes, bounds[last], bounds[last + 1])) return 0;
  return countTraceFields(namesAmong(bytes, bounds));
}

/** The same as `decodeTraceContext`, of fields in one piece. */
export function traceContextAmong(bytes: Buffer, bounds: readonly number[]): TraceContext | undefined {
  const last = bounds.length - 4;
  if (last < 0 || !isNamed(TRACEPARENT_BYTES, bytes, bounds[last], bounds[last + 1])) return undefined;
  return contextAt(namesAmong(bytes, bounds), (place) =>
    bytes.subarray(bounds.at(-4 * place + 2), bounds.at(-4 * place + 3)),
  );
}

const namesAmong =
  (bytes: Buffer, bounds: readonly number[]): HasName =>
  (name, place) => {
    const at = bounds.length - 4 * place;
    return at >= 0 && isNamed(name, bytes, bounds[at], bounds[at + 1]);
  };

/** The fields of the application. */
export function ownFields(fields: RawFields): RawFields {
  const count = traceFieldsIn(fields);
  return count === 0 ? fields : fields.slice(0, -2 * count);
}

/** The context among an entry's fields; `undefined` if there is none, or none that is well-formed. */
export function decodeTraceContext(fields: RawFields): TraceContext | undefined {
  return traceFieldsIn(fields) === 0
    ? undefined
    : contextAt(
        (name, place) => fields.at(-2 * place)?.equals(name) === true,
        (place) => fields.at(-2 * place + 1),
      );
}

function traceFieldsIn(fields: RawFields): number {
  const last = fields.at(-2);
  if (last?.length !== TRACEPARENT_BYTES.length || !last.equals(TRACEPARENT_BYTES)) return 0;
  return countTraceFields((name, place) => fields.at(-2 * place)?.equals(name) === true);
}

/** Whether the field at a place, counted from the last, has a name. */
type HasName = (name: Buffer, place: number) => boolean;

/** The number of fields, where the last is known to be `rb:traceparent`. */
function countTraceFields(hasName: HasName): number {
  const count = hasName(TRACESTATE_BYTES, 2) ? 2 : 1;
  return hasName(BAGGAGE_BYTES, count + 1) ? count + 1 : count;
}

/** The context, where the last field is known to be `rb:traceparent`. */
function contextAt(hasName: HasName, valueAt: (place: number) => Buffer | undefined): TraceContext | undefined {
  const states = hasName(TRACESTATE_BYTES, 2) ? 1 : 0;
  const state = states === 1 ? valueAt(2) : undefined;
  const baggage = hasName(BAGGAGE_BYTES, states + 2) ? valueAt(states + 2) : undefined;
  return parseTraceContext(
    shortText(valueAt(1), LONGEST_TRACEPARENT),
    shortText(state, LONGEST_TRACESTATE),
    shortText(baggage, LONGEST_BAGGAGE),
  );
}

/** Of bytes that are far too long no text is made. */
function shortText(bytes: Buffer | undefined, longest: number): string | undefined {
  return bytes === undefined || bytes.length > longest ? undefined : bytes.toString("latin1");
}

function isNamed(name: Buffer, bytes: Buffer, start = 0, end = 0): boolean {
  return end - start === name.length && name.compare(bytes, start, end) === 0;
}
