import * as fc from "fast-check";
import { expect, test } from "vitest";
import { coveredMs, mergeSpans, type Span, subtractSpans } from "./spans.ts";

const span = fc
  .tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 1, max: 20 }))
  .map(([fromMs, forMs]): Span => ({ fromMs, toMs: fromMs + forMs }));
const spans = fc.array(span, { maxLength: 8 });

/** The milliseconds that are in any of the spans. */
function pointsOf(all: readonly Span[]): Set<number> {
  const points = new Set<number>();
  for (const { fromMs, toMs } of all) for (let at = fromMs; at < toMs; at++) points.add(at);
  return points;
}

test("merged spans are the same time, in order and apart", () => {
  fc.assert(
    fc.property(spans, (all) => {
      const merged = mergeSpans(all);
      expect(pointsOf(merged)).toEqual(pointsOf(all));
      for (let index = 1; index < merged.length; index++) {
        expect((merged[index] as Span).fromMs).toBeGreaterThan((merged[index - 1] as Span).toMs);
      }
    }),
  );
});

test("a gap as short as the bridge is closed", () => {
  const two = [
    { fromMs: 0, toMs: 10 },
    { fromMs: 15, toMs: 20 },
  ];
  expect(mergeSpans(two, 5)).toEqual([{ fromMs: 0, toMs: 20 }]);
  expect(mergeSpans(two, 4)).toEqual(two);
});

test("what is subtracted is not in the rest, and everything else is", () => {
  fc.assert(
    fc.property(span, spans, (whole, taken) => {
      const gone = pointsOf(taken);
      expect(pointsOf(subtractSpans(whole, mergeSpans(taken)))).toEqual(
        new Set([...pointsOf([whole])].filter((at) => !gone.has(at))),
      );
    }),
  );
});

test("the time that is covered is counted once", () => {
  fc.assert(
    fc.property(span, spans, (whole, others) => {
      const covered = pointsOf(others);
      const expected = [...pointsOf([whole])].filter((at) => covered.has(at)).length;
      expect(coveredMs(whole, mergeSpans(others))).toBe(expected);
    }),
  );
});
