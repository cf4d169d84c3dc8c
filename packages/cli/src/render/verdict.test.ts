import { expect, test } from "vitest";
import { decideVerdict } from "../decisions/check.ts";
import { renderVerdict } from "./verdict.ts";

const subject = { stream: 'or|"\nders', group: "g\u001b" };
const verdict = decideVerdict([
  { name: "backlog", value: 5, warnAbove: 3, criticalAbove: 9 },
  { name: "age_ms", value: null },
  { name: "consumers", value: 2, criticalBelow: 1 },
]);

test("Nagios gets one line, with one bar before the numbers", () => {
  expect(renderVerdict("nagios", subject, verdict, null)).toBe(
    'REDIS_BATCH WARNING - or/"\\nders/g\\e: backlog 5 (warning above 3; critical above 9) | backlog=5;3;9 consumers=2;;1:\n',
  );
  expect(renderVerdict("nagios", subject, { status: "unknown", findings: [] }, "away | gone\n")).toBe(
    'REDIS_BATCH UNKNOWN - or/"\\nders/g\\e: away / gone\\n\n',
  );
});

test("Prometheus gets labels it can read, and NaN for what nobody knows", () => {
  const text = renderVerdict("prometheus", subject, verdict, null);
  expect(text).toContain('redis_batch_check_status{stream="or|\\"\\nders",group="g\u001b"} 1\n');
  expect(text).toContain('measure="age_ms"} NaN\n');
});

test("people get a line per measure, programs the same as JSON", () => {
  expect(renderVerdict("text", subject, verdict, null).split("\n")).toHaveLength(5);
  expect(renderVerdict("text", subject, verdict, null)).toContain("healthy consumers 2 (critical below 1)");
  expect(JSON.parse(renderVerdict("json", subject, verdict, null))).toMatchObject({
    ...subject,
    status: "warning",
    measures: [{ name: "backlog", value: 5, status: "warning" }, { value: null, status: "ok" }, { criticalBelow: 1 }],
  });
});

test("people read how long in units of time, programs in milliseconds", () => {
  const late = decideVerdict([{ name: "age_ms", value: 117_115, warnAbove: 1_000, criticalAbove: 3_600_000 }]);
  expect(renderVerdict("text", subject, late, null)).toContain("age 1m57s (warning above 1.0s; critical above 1h00m)");
  expect(renderVerdict("nagios", subject, late, null)).toMatch(/: age 1m57s .* \| age_ms=117115ms;1000;3600000\n$/);
});
