import { expect, test } from "vitest";
import { Failure } from "./failure.ts";
import { parseFrom, parseMoment, parsePosition, timeOfId } from "./point.ts";

const NOW_MS = Date.UTC(2026, 0, 31, 12);

test("a moment is so long ago, or a date", () => {
  expect(parseMoment("--since", "2h", NOW_MS)).toBe(NOW_MS - 7_200_000);
  expect(parseMoment("--since", "2026-01-31T11:00:00Z", NOW_MS)).toBe(NOW_MS - 3_600_000);
  for (const text of ["", "yesterday", "12", "2026-13-01", "99999d"]) {
    expect(() => parseMoment("--since", text, NOW_MS)).toThrow(Failure);
  }
});

test("a position delivers what comes at that moment or later; a place to begin includes it", () => {
  expect(parsePosition("--to", "1s", 5_000)).toBe("3999-18446744073709551615");
  expect(parsePosition("--to", "5s", 5_000)).toBe("start");
  expect(parsePosition("--to", "end", 5_000)).toBe("end");
  expect(parsePosition("--to", "7-1", 5_000)).toBe("7-1");
  expect(parseFrom("--from", "1s", 5_000)).toBe("4000-0");
});

test("what cannot be read is answered with all that can be", () => {
  expect(() => parsePosition("--to", "soon", 5_000)).toThrow(
    "--to must be start, end, an id such as 1700000000000-0, a",
  );
  expect(() => parseFrom("--from", "soon", 5_000)).toThrow("--from must be an id such as 1700000000000-0, a time");
  expect(() => parseMoment("--since", "soon", 5_000)).toThrow("--since must be a time such as 2h (ago) or 2026-01-31T");
});

test("an id tells its time, where it has one", () => {
  expect(timeOfId("1769860800000-3")).toBe("2026-01-31T12:00:00.000Z");
  expect([timeOfId(null), timeOfId("0-1"), timeOfId("18446744073709551615-0")]).toEqual([null, null, null]);
});
