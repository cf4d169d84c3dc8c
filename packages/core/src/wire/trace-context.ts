/**
 * The context of a trace, as an entry carries it: in fields of its own behind those of the application, `rb:traceparent` last
 * and, where there is one, `rb:tracestate` before it. So one look at the last name tells whether there is any.
 */
import type { RawFields } from "./entry.ts";

/** Which trace a message belongs to, as the W3C's recommendation "Trace Context" writes it. */
export interface TraceContext {
  /** Such as `00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01`: version, trace, span, flags. */
  readonly traceparent: string;
  /** What tracing systems add to it, up to 512 characters; `undefined`: nothing. */
  readonly tracestate: string | undefined;
}

const TRACEPARENT = "rb:traceparent";
const TRACESTATE = "rb:tracestate";
const TRACEPARENT_BYTES = Buffer.from(TRACEPARENT);
const TRACESTATE_BYTES = Buffer.from(TRACESTATE);

// That of a later version may be longer. Anything longer than this is ignored.
const LONGEST_TRACEPARENT = 128;
const LONGEST_TRACESTATE = 512;
// Neither the version ff nor ids of zeros only exist.
const WELL_FORMED = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-[\x21-\x7e]*)?$/;
const PRINTABLE = /^[\x20-\x7e]+$/;

/** The context, checked; `undefined` if its `traceparent` is not well-formed. A `tracestate` that is not is left out. */
export function parseTraceContext(traceparent: unknown, tracestate?: unknown): TraceContext | undefined {
  if (typeof traceparent !== "string" || traceparent.length > LONGEST_TRACEPARENT) return undefined;
  if (!WELL_FORMED.test(traceparent)) return undefined;
  // Version 00 ends here.
  if (traceparent.startsWith("00") && traceparent.length !== 55) return undefined;
  const isState =
    typeof tracestate === "string" && tracestate.length <= LONGEST_TRACESTATE && PRINTABLE.test(tracestate);
  return { traceparent, tracestate: isState ? tracestate : undefined };
}

/** The fields that carry it: name, value, name, value … */
export function encodeTraceContext({ traceparent, tracestate }: TraceContext): readonly string[] {
  const parent = [TRACEPARENT, traceparent];
  return tracestate === undefined ? parent : [TRACESTATE, tracestate, ...parent];
}

/** How many of an entry's fields carry a context: 0, 1 or 2. Of each the start and the end in `bytes` are given. */
export function traceFieldsAmong(bytes: Buffer, bounds: readonly number[]): number {
  const last = bounds.length - 4;
  if (last < 0 || !isNamed(TRACEPARENT_BYTES, bytes, bounds[last], bounds[last + 1])) return 0;
  return last >= 4 && isNamed(TRACESTATE_BYTES, bytes, bounds[last - 4], bounds[last - 3]) ? 2 : 1;
}

/** The same as `decodeTraceContext`, of fields in one piece. */
export function traceContextAmong(bytes: Buffer, bounds: readonly number[]): TraceContext | undefined {
  const count = traceFieldsAmong(bytes, bounds);
  if (count === 0) return undefined;
  const valueAt = (place: number): string | undefined =>
    shortText(bytes.subarray(bounds.at(-4 * place + 2), bounds.at(-4 * place + 3)));
  return parseTraceContext(valueAt(1), count === 2 ? valueAt(2) : undefined);
}

/** The fields of the application. */
export function ownFields(fields: RawFields): RawFields {
  const count = traceFieldsIn(fields);
  return count === 0 ? fields : fields.slice(0, -2 * count);
}

/** The context among an entry's fields; `undefined` if there is none, or none that is well-formed. */
export function decodeTraceContext(fields: RawFields): TraceContext | undefined {
  const count = traceFieldsIn(fields);
  if (count === 0) return undefined;
  return parseTraceContext(shortText(fields.at(-1)), count === 2 ? shortText(fields.at(-3)) : undefined);
}

function traceFieldsIn(fields: RawFields): number {
  const last = fields.at(-2);
  if (last?.length !== TRACEPARENT_BYTES.length || !last.equals(TRACEPARENT_BYTES)) return 0;
  return fields.at(-4)?.equals(TRACESTATE_BYTES) ? 2 : 1;
}

/** Of bytes that are far too long no text is made. */
function shortText(bytes: Buffer | undefined): string | undefined {
  return bytes === undefined || bytes.length > LONGEST_TRACESTATE ? undefined : bytes.toString("latin1");
}

function isNamed(name: Buffer, bytes: Buffer, start = 0, end = 0): boolean {
  return end - start === name.length && name.compare(bytes, start, end) === 0;
}
