import { describe, expect, it } from "vitest";
import { decodePublication, encodePublication, type Publication, renderPublication } from "./publication.ts";
import type { Row } from "./rows.ts";

const machine = {
  ...{ processors: 2, model: "A processor", memoryGiB: 8 },
  ...{ node: "24.0.0", server: "Redis 7.0.15", ioredis: "6.0.0", bullmq: "6.7.0" },
};

const row = (scenario: string, median: number, met: boolean, noisy = false): Row => ({
  ...{ scenario, metric: "messages/s", rounds: 3, met, noisy },
  ours: { min: 1, median: median * 10, max: 100 },
  reference: { min: 10, median: 10, max: 10 },
  ratio: { min: median / 2, median, max: median * 2 },
  difference: { min: 0, median: 0, max: 0 },
  target: { metric: "messages/s", of: "ratio", bound: "at least", value: 2 },
});

const scenarios = ["fast", "slow", "absent"].map((name) => ({
  ...{ name, what: `being ${name}`, oursName: "ours", referenceName: "theirs" },
}));

const publication: Publication = {
  run: { date: "2026-01-31", quick: false, machine },
  rows: [row("fast", 4, true), row("slow", 1, false)],
  skipped: [{ scenario: "absent", why: "there is no snake" }],
};

const page = (changes: Partial<Publication> = {}): string =>
  renderPublication({ ...publication, ...changes }, scenarios).get("benchmarks.md") ?? "";

describe("a publication", () => {
  it("is the same after it was written and read", () => {
    expect(decodePublication(encodePublication(publication))).toEqual(publication);
  });

  it("is refused when it does not say of which run it is", () => {
    expect(() => decodePublication(JSON.stringify(publication.rows[0]))).toThrow("says nothing about the run");
  });
});

describe("the page", () => {
  it("says when and on what it was measured", () => {
    expect(page()).toContain("2026-01-31 on 2 cores (A processor, 8 GiB), Redis 7.0.15");
  });

  it("counts what was met and what was missed", () => {
    expect(page()).toContain("Of 2 targets, 1 are met and 1 missed; 0 of these verdicts are marked noisy.");
    expect(page()).toContain("| [slow](#slow) | messages/s | ratio ≥ 2 | 0.50 – **1.00** – 2.00 | 3 | missed |");
  });

  it("says why a scenario was not run", () => {
    expect(page()).toContain("## absent\n\nBeing absent.\n\nNot run: there is no snake.");
  });

  it("warns of a quick run, and of a busy machine, only where they were so", () => {
    expect(page()).not.toMatch(/quick run|Noisy rows\*\*/);
    expect(page({ run: { ...publication.run, quick: true } })).toContain("**A quick run**");
    expect(page({ rows: [row("fast", 4, true, true), row("slow", 1, false)] })).toContain("in 1 of 2 scenarios");
  });
});

describe("the plot of the targets", () => {
  const plot = (rows: readonly Row[]): string =>
    renderPublication({ ...publication, rows }, scenarios).get("benchmarks/targets.svg") ?? "";
  const middle = (svg: string): number => Number(/<circle cx="([\d.]+)"/.exec(svg)?.[1]);
  const limit = (svg: string): number => Number(/d="M([\d.]+) [^"]*" class="limit"/.exec(svg)?.[1]);

  it("has what is met left of the line and what is missed right of it", () => {
    const met = plot([row("fast", 4, true)]);
    const missed = plot([row("slow", 1, false)]);
    expect(middle(met)).toBeLessThan(limit(met));
    expect(middle(missed)).toBeGreaterThan(limit(missed));
  });

  it("keeps what is off the scale within the picture", () => {
    expect(middle(plot([row("slow", 0.000_1, false)]))).toBeLessThanOrEqual(740);
  });

  it("shows noisy rows pale", () => {
    expect(plot([row("fast", 4, true, true)])).toContain('class="good unsure"');
  });
});
