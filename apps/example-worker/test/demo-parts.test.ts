import { describe, expect, it } from "vitest";
import { checkResults } from "../demo/checks.ts";
import { expectedTotals, readCommits, WHOLE_HISTORY } from "../demo/commit-data.ts";
import { ProgressLine } from "../demo/progress.ts";
import { renderChecks, renderWorkers } from "../demo/report.ts";
import type { StoredCommits } from "../demo/stored-commits.ts";
import { renderTable } from "../demo/table.ts";
import { NO_WORK, tallyLine, workedSeconds } from "../demo/worker-tally.ts";

describe("the data", () => {
  it("holds the whole history, each commit once, and adds up to what is known of it", () => {
    const commits = readCommits();
    const sum = (field: "insertions" | "deletions"): number =>
      commits.reduce((total, commit) => total + commit[field], 0);
    expect({ messages: commits.length, insertions: sum("insertions"), deletions: sum("deletions") }).toEqual(
      WHOLE_HISTORY,
    );
    expect(new Set(commits.map(({ id }) => id)).size).toBe(commits.length);
    expect(expectedTotals(commits)).toBe(WHOLE_HISTORY);
  });
});

describe("the checks", () => {
  const produced = readCommits(3);
  const expected = expectedTotals(produced);
  const stored: StoredCommits = {
    rows: 3,
    insertions: expected.insertions,
    deletions: expected.deletions,
    rowsByCommit: new Map(produced.map(({ id }) => [id, 1])),
    years: [],
  };
  const failed = (found: Partial<StoredCommits>, pending = 0): readonly string[] =>
    checkResults(produced, expected, { ...stored, ...found }, pending)
      .filter(({ passed }) => !passed)
      .map(({ name, finding }) => `${name}: ${finding}`);
  const [first, second] = produced.map(({ id }) => id) as [string, string, string];

  it("pass when everything was stored once and acknowledged", () => {
    expect(failed({})).toEqual([]);
  });

  it("fail when the totals do not hold", () => {
    expect(failed({ rows: 2 })).toEqual(["messages: 2, expected 3"]);
    expect(failed({ insertions: expected.insertions + 1 })).toHaveLength(1);
    expect(failed({ deletions: 0 })).toHaveLength(1);
  });

  it("fail when one commit is there twice in place of another, though the count holds", () => {
    const rowsByCommit = new Map([
      [first, 2],
      [second, 1],
    ]);
    expect(failed({ rowsByCommit })).toEqual(["each message stored exactly once: 1 missing, 1 more than once"]);
  });

  it("fail when something is there that was never produced", () => {
    expect(failed({ rowsByCommit: new Map([...stored.rowsByCommit, ["deadbeef", 1]]) })).toHaveLength(1);
  });

  it("fail when something was not acknowledged", () => {
    expect(failed({}, 7)).toEqual(["messages not acknowledged: 7, expected 0"]);
  });

  it("are marked", () => {
    const checks = [
      { name: "messages", passed: true, finding: "3" },
      { name: "deletions", passed: false, finding: "1, expected 2" },
    ];
    expect(renderChecks(checks, (mark) => mark)).toEqual(["✓ messages   3", "✗ deletions  1, expected 2"]);
  });
});

describe("a worker's tally", () => {
  const at = (second: number): string => `2024-01-01T00:00:0${second}.000Z`;
  const stored = (second: number, messages: number, added: number): string =>
    JSON.stringify({ at: at(second), level: "info", event: "stored", messages, added, ms: 3 });

  it("counts the batches of its log and what was new in them", () => {
    const lines = [
      JSON.stringify({ at: at(1), event: "started", consumer: "worker-1" }),
      stored(2, 100, 100),
      JSON.stringify({ at: at(2), event: "connected", role: "reader" }),
      stored(3, 50, 20),
    ];
    expect(lines.reduce(tallyLine, NO_WORK)).toEqual({
      batches: 2,
      messages: 150,
      added: 120,
      startedAtMs: Date.parse(at(1)),
      lastStoredAtMs: Date.parse(at(3)),
    });
  });

  it("is set against the time that all workers took together", () => {
    const tallies = [
      { ...NO_WORK, messages: 300, batches: 3, startedAtMs: 1_000, lastStoredAtMs: 2_000 },
      { ...NO_WORK, messages: 100, batches: 1, startedAtMs: 1_500, lastStoredAtMs: 3_000 },
      { ...NO_WORK, startedAtMs: 1_700 },
    ];
    expect(workedSeconds(tallies)).toBe(2);
    expect(renderWorkers(tallies)).toEqual([
      "workers        messages   batches   messages/s",
      "──────────────────────────────────────────────",
      "worker 1            300         3          150",
      "worker 2            100         1           50",
      "worker 3              0         0            0",
      "──────────────────────────────────────────────",
      "total, 2.0 s        400         4          200",
    ]);
  });
});

describe("a table", () => {
  it("puts numbers under one another", () => {
    expect(renderTable({ header: ["year", "n"], rows: [["2009", "1"]], footer: ["total", "1,000"] })).toEqual([
      "year        n",
      "─────────────",
      "2009        1",
      "─────────────",
      "total   1,000",
    ]);
  });
});

describe("the progress line", () => {
  function progress(isTTY: boolean) {
    const written: string[] = [];
    let nowMs = 0;
    const line = new ProgressLine({ isTTY, columns: 12, write: (text) => written.push(text) }, () => nowMs);
    return {
      line,
      written,
      pass: (ms: number) => {
        nowMs += ms;
      },
    };
  }

  it("is rewritten on a terminal, and never wraps", () => {
    const { line, written } = progress(true);
    line.update("one");
    line.update("a line that is too long");
    line.finish("done");
    expect(written).toEqual(["\r\u001b[Kone", "\r\u001b[Ka line that", "\r\u001b[Kdone", "\n"]);
  });

  it("is a plain line now and then elsewhere", () => {
    const { line, written, pass } = progress(false);
    line.update("too soon");
    pass(2_000);
    line.update("one");
    pass(1_999);
    line.update("too soon");
    line.finish("done");
    expect(written.join("")).toBe("one\ndone\n");
  });
});
