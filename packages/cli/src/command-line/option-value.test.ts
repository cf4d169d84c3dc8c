import * as fc from "fast-check";
import { expect, test } from "vitest";
import { formatDuration, parseDuration } from "./option-value.ts";

test("durations are read in every unit, and nothing else is", () => {
  expect(["0", "500ms", "1.5s", "10m", "2h", "7d"].map(parseDuration)).toEqual([
    ...[0, 500, 1_500, 600_000, 7_200_000, 604_800_000],
  ]);
  for (const text of ["", "5", "s", "-1s", "1 s", "1w", "1e3s", "5S"]) expect(parseDuration(text)).toBeUndefined();
});

test("what is written is read back", () => {
  fc.assert(
    fc.property(fc.nat(10_000_000_000), (ms) => {
      expect(parseDuration(formatDuration(ms))).toBe(ms);
    }),
  );
});
