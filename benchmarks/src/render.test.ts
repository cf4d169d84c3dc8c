import { describe, expect, it } from "vitest";
import { figure, renderRows, rowAsJson, targetText, verdict } from "./render.ts";
import type { Row } from "./rows.ts";

const row: Row = {
  scenario: "consume-100",
  metric: "messages/s",
  rounds: 3,
  ours: { min: 90_000, median: 100_000, max: 110_000 },
  reference: { min: 45_000, median: 50_000, max: 55_000 },
  ratio: { min: 1.8, median: 2, max: 2.123456 },
  difference: { min: 35_000, median: 50_000, max: 65_000 },
  target: { metric: "messages/s", of: "ratio", bound: "at least", value: 2 },
  met: true,
  noisy: true,
};

describe("renderRows", () => {
  it("shows medians, ratios with their spread, and whether the target was met", () => {
    expect(renderRows([row], { oursName: "ours", referenceName: "raw ioredis" })).toBe(
      [
        "               ours  raw ioredis  ratio (min – median – max)  target",
        "messages/s  100,000       50,000          1.80 – 2.00 – 2.12  ratio ≥ 2  met, noisy",
      ].join("\n"),
    );
  });
});

describe("rowAsJson", () => {
  it("is one object with both medians, the ratio's spread and the verdict", () => {
    expect(JSON.parse(rowAsJson(row))).toEqual({
      scenario: "consume-100",
      metric: "messages/s",
      ours: 100_000,
      reference: 50_000,
      ratio: { min: 1.8, median: 2, max: 2.123 },
      target: "ratio ≥ 2",
      met: true,
      noisy: true,
    });
  });

  it("has null for a target that there is not", () => {
    expect(JSON.parse(rowAsJson({ ...row, target: null, met: null }))).toMatchObject({ target: null, met: null });
  });
});

describe("targetText", () => {
  it("says what is compared, and with what", () => {
    expect(targetText({ metric: "wall ms", of: "difference", bound: "at most", value: 150 })).toBe(
      "ours − reference ≤ 150",
    );
  });
});

describe("verdict", () => {
  it("never calls a missed target met, and never hides that the machine was busy", () => {
    expect(verdict({ met: false, noisy: true })).toBe("missed, noisy");
    expect(verdict({ met: null, noisy: true })).toBe("noisy");
    expect(verdict({ met: true, noisy: false })).toBe("met");
  });
});

describe("figure", () => {
  it("shows three figures that matter", () => {
    expect([0.12345, 4.6, 99_999.6].map(figure)).toEqual(["0.123", "4.60", "100,000"]);
  });
});
