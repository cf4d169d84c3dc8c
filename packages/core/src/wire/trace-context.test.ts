import { describe, expect, test } from "vitest";
import {
  decodeTraceContext,
  encodeTraceContext,
  ownFields,
  parseTraceContext,
  type TraceContext,
} from "./trace-context.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";
const PARENT = `00-${TRACE}-${SPAN}-01`;
const context: TraceContext = { traceparent: PARENT, tracestate: "vendor=opaque,other=1" };
const bytesOf = (parts: readonly string[]): readonly Buffer[] => parts.map((part) => Buffer.from(part));
const own = ["orderId", "A-17", "traceparent", "the user's"];

const BAGGED = { ...context, baggage: "tenant=A-17,region=eu%20west;p=1" };

test.each([context, { ...context, tracestate: undefined }, BAGGED, { ...BAGGED, tracestate: undefined }])(
  "what is written is read again, and not among the fields: %o",
  (written) => {
    const fields = bytesOf([...own, ...encodeTraceContext(written)]);
    expect(decodeTraceContext(fields)).toEqual(written);
    expect(ownFields(fields)).toEqual(bytesOf(own));
  },
);

test("an entry without one is left as it is", () => {
  for (const parts of [own, [], ["rb:tracestate", "a=1"], ["rb:traceparent", PARENT, "key", "7"]]) {
    const fields = bytesOf(parts);
    expect(ownFields(fields)).toBe(fields);
    expect(decodeTraceContext(fields)).toBeUndefined();
  }
});

describe("a hostile context", () => {
  test.each([
    ["empty", ""],
    ["no context at all", "1; DROP TABLE orders"],
    ["too long", `01-${TRACE}-${SPAN}-01-${"x".repeat(100)}`],
    ["a megabyte", "0".repeat(1_000_000)],
    ["longer than version 00 is", `${PARENT}-more`],
    ["of the forbidden version", `ff-${TRACE}-${SPAN}-01`],
    ["in capitals", PARENT.toUpperCase()],
    ["a trace of zeros", `00-${"0".repeat(32)}-${SPAN}-01`],
    ["a span of zeros", `00-${TRACE}-${"0".repeat(16)}-01`],
    ["with a line break", `${PARENT}\n`],
    ["with a character beyond ASCII", `01-${TRACE}-${SPAN}-01-ü`],
  ])("%s is ignored, and not among the fields", (_what, traceparent) => {
    const fields = bytesOf([...own, "rb:tracestate", "a=1", "rb:traceparent", traceparent]);
    expect(decodeTraceContext(fields)).toBeUndefined();
    expect(ownFields(fields)).toEqual(bytesOf(own));
  });

  test.each(["", "a\nb", "ü=1", `a=${"x".repeat(600)}`, "y".repeat(1_000_000)])(
    "a bad tracestate costs only itself",
    (state) => {
      const fields = bytesOf([...own, "rb:tracestate", state, "rb:traceparent", PARENT]);
      expect(decodeTraceContext(fields)).toEqual({ traceparent: PARENT, tracestate: undefined });
      expect(ownFields(fields)).toEqual(bytesOf(own));
    },
  );
});

test.each(["", "a=1\nb=2", "ü=1", `a=${"x".repeat(9_000)}`])("a bad baggage costs only itself", (baggage) => {
  const fields = bytesOf([...own, "rb:baggage", baggage, "rb:tracestate", "a=1", "rb:traceparent", PARENT]);
  expect(decodeTraceContext(fields)).toEqual({ traceparent: PARENT, tracestate: "a=1" });
  expect(ownFields(fields)).toEqual(bytesOf(own));
});

test("a baggage in another place is a field like any other", () => {
  const fields = bytesOf(["rb:baggage", "a=1", ...own, "rb:traceparent", PARENT]);
  expect(decodeTraceContext(fields)).toEqual({ traceparent: PARENT, tracestate: undefined });
  expect(ownFields(fields)).toEqual(bytesOf(["rb:baggage", "a=1", ...own]));
  expect(ownFields(bytesOf(["rb:baggage", "a=1"]))).toHaveLength(2);
});

test("that of a later version is taken", () => {
  const later = `cc-${TRACE}-${SPAN}-03-what.comes`;
  expect(parseTraceContext(later)).toEqual({ traceparent: later, tracestate: undefined });
  expect(parseTraceContext(42)).toBeUndefined();
});
