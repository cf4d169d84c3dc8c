import { describe, expect, it } from "vitest";
import { renderRows, rowAsJson } from "./render.ts";
import type { Row } from "./scenario.ts";

const row: Row = {
  scenario: "consume-100",
  metric: "messages/s",
  ours: { min: 90_000, median: 100_000, max: 110_000 },
  reference: { min: 45_000, median: 50_000, max: 55_000 },
  ratio: { min: 1.8, median: 2, max: 2.123456 },
};

describe("renderRows", () => {
  it("shows medians, and ratios with their spread", () => {
    expect(renderRows([row], "raw ioredis")).toBe(
      [
        "               ours  raw ioredis  ours / reference (min – median – max)",
        "messages/s  100,000       50,000                     1.80 – 2.00 – 2.12",
      ].join("\n"),
    );
  });
});

describe("rowAsJson", () => {
  it("is one object with the scenario, the metric, both medians and the ratio's spread", () => {
    expect(JSON.parse(rowAsJson(row))).toEqual({
      scenario: "consume-100",
      metric: "messages/s",
      ours: 100_000,
      reference: 50_000,
      ratio: { min: 1.8, median: 2, max: 2.123 },
    });
  });
});
