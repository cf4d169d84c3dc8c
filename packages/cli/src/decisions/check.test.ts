import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decideVerdict, type Measure } from "./check.ts";

const statusOf = (measure: Omit<Measure, "name">) => decideVerdict([{ name: "backlog", ...measure }]).status;

describe("decideVerdict", () => {
  test("judges by the limits, which are still ok themselves", () => {
    expect(statusOf({ value: 10, warnAbove: 10, criticalAbove: 20 })).toBe("ok");
    expect(statusOf({ value: 11, warnAbove: 10, criticalAbove: 20 })).toBe("warning");
    expect(statusOf({ value: 21, warnAbove: 10, criticalAbove: 20 })).toBe("critical");
    expect(statusOf({ value: 1, criticalBelow: 1 })).toBe("ok");
    expect(statusOf({ value: 0, criticalBelow: 1 })).toBe("critical");
  });

  test("does not take what is not known for fine, unless nobody limits it", () => {
    expect(statusOf({ value: null, warnAbove: 10 })).toBe("unknown");
    expect(statusOf({ value: null })).toBe("ok");
  });

  test("is as bad as its worst measure, whatever the others are", () => {
    const measure = fc.record({
      name: fc.constant("m"),
      value: fc.option(fc.nat(30)),
      warnAbove: fc.option(fc.nat(30), { nil: undefined }),
      criticalAbove: fc.option(fc.nat(30), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(measure), (measures) => {
        const { status, findings } = decideVerdict(measures);
        for (const word of ["critical", "unknown", "warning"] as const) {
          if (!findings.some((finding) => finding.status === word)) continue;
          expect(status).toBe(word);
          return;
        }
        expect(status).toBe("ok");
      }),
    );
  });
});
