import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { coloured, plain, wantsColour } from "./paint.ts";
import { encodeReportJson, type Report, renderDuration, renderReport } from "./report.ts";
import { renderSparkline } from "./sparkline.ts";
import { displayWidth, fitWidth } from "./width.ts";

const report: Report = {
  facts: [
    { key: "stream", value: "orders" },
    { key: "oldestPendingMs", title: "oldest", value: 61_000, unit: "ms" },
  ],
  table: {
    key: "groups",
    columns: [{ key: "group" }, { key: "waiting", unit: "count" }, { key: "alive" }],
    rows: [
      { group: "日本", waiting: 1_234, alive: true },
      { group: "", waiting: null, alive: false },
    ],
    none: "none",
  },
  notes: ["a note"],
};

describe("a report", () => {
  test("is a table for people", () => {
    expect(renderReport(report, plain)).toBe(
      [
        "stream  orders",
        "oldest  1m01s",
        "",
        "GROUP  WAITING  ALIVE",
        "日本     1,234  yes",
        '""           -  no',
        "",
        "a note",
        "",
      ].join("\n"),
    );
  });

  test("is JSON for programs, with the values as they are", () => {
    const json = { stream: "orders", oldestPendingMs: 61_000, groups: report.table?.rows, notes: ["a note"] };
    expect(JSON.parse(encodeReportJson(report))).toEqual(json);
    expect(encodeReportJson(report, true)).toBe(`${JSON.stringify(json)}\n`);
  });

  test("colours what has a tone, and pads outside of the colour", () => {
    const toned: Report = {
      table: {
        key: "t",
        columns: [{ key: "a", tone: () => "bad" }, { key: "b" }],
        rows: [{ a: "x", b: "y" }],
        none: "",
      },
    };
    expect(renderReport(toned, coloured).split("\n")[1]).toBe("\u001b[31mx\u001b[39m  y");
  });

  test("fits a terminal however narrow, as far as its headings do", () => {
    const cell = fc.string({ unit: fc.constantFrom("a", "日", "🎉", "é", " ", "\u001b") });
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell), { minLength: 1 }), fc.integer({ min: 20, max: 60 }), (rows, width) => {
        const table = {
          key: "t",
          columns: [{ key: "a" }, { key: "b" }],
          rows: rows.map(([a, b]) => ({ a, b })),
          none: "",
        };
        const lines = renderReport({ table }, plain, width).replace(/\n$/, "").split("\n");
        expect(lines).toHaveLength(rows.length + 1);
        for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(width);
      }),
    );
  });
});

test("durations are short, and never say more than is known", () => {
  const all = [0, 999, 1_000, 59_999, 60_000, 3_599_999, 3_600_000, 172_799_999, 172_800_000];
  expect(all.map(renderDuration)).toEqual([
    ...["0ms", "999ms", "1.0s", "59.9s", "1m00s", "59m59s", "1h00m", "47h59m", "2d0h"],
  ]);
});

test("a text is cut by columns, not by characters", () => {
  expect(fitWidth("日本語", 5)).toBe("日本…");
  expect(fitWidth("abc", 3)).toBe("abc");
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 1, max: 20 }), (text, most) => {
      expect(displayWidth(fitWidth(text, most))).toBeLessThanOrEqual(most);
    }),
  );
});

test("a sparkline is as wide as there are values, from nothing to the most", () => {
  expect(renderSparkline([0, 1, 2, null, 4, 8], 10)).toBe("▁▂▃ ▅█");
  expect(renderSparkline([1, 2, 3], 2)).toBe("▆█");
  expect(renderSparkline([0, 0], 5)).toBe("▁▁");
});

test("NO_COLOR goes before FORCE_COLOR, and both before the terminal", () => {
  expect(wantsColour({}, true)).toBe(true);
  expect(wantsColour({}, false)).toBe(false);
  expect(wantsColour({ TERM: "dumb" }, true)).toBe(false);
  expect(wantsColour({ FORCE_COLOR: "1" }, false)).toBe(true);
  expect(wantsColour({ FORCE_COLOR: "0" }, true)).toBe(false);
  expect(wantsColour({ FORCE_COLOR: "1", NO_COLOR: "1" }, true)).toBe(false);
  expect(wantsColour({ NO_COLOR: "" }, true)).toBe(true);
});
