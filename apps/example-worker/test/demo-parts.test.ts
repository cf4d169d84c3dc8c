import { describe, expect, it } from "vitest";
import { checkResults } from "../demo/checks.ts";
import { expectedTotals, readCommits, WHOLE_HISTORY } from "../demo/commit-data.ts";
import { checkHandOver, chooseVictim, describeCrash, describeHandOver } from "../demo/crash.ts";
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

  it("counts the batches of its log, what was new in them, and what had been another's before", () => {
    const lines = [
      JSON.stringify({ at: at(1), event: "started", consumer: "worker-1" }),
      stored(2, 100, 100),
      JSON.stringify({ at: at(2), event: "connected", role: "reader" }),
      JSON.stringify({ at: at(2), event: "redelivered", messages: 100 }),
      JSON.stringify({ at: at(2), event: "claimed", messages: 27 }),
      stored(3, 50, 20),
    ];
    expect(lines.reduce(tallyLine, NO_WORK)).toEqual({
      consumer: "worker-1",
      batches: 2,
      messages: 150,
      added: 120,
      redelivered: 127,
      startedAtMs: Date.parse(at(1)),
      lastStoredAtMs: Date.parse(at(3)),
    });
  });

  it("is set against the time that all workers took together", () => {
    const tallies = [
      { ...NO_WORK, messages: 300, batches: 3, startedAtMs: 1_000, lastStoredAtMs: 2_000 },
      { ...NO_WORK, messages: 100, batches: 1, redelivered: 40, startedAtMs: 1_500, lastStoredAtMs: 3_000 },
      { ...NO_WORK, startedAtMs: 1_700 },
    ];
    expect(workedSeconds(tallies)).toBe(2);
    expect(renderWorkers(tallies, new Set([0]))).toEqual([
      "workers            messages   batches   redelivered   messages/s",
      "────────────────────────────────────────────────────────────────",
      "worker 1, killed        300         3             0          150",
      "worker 2                100         1            40           50",
      "worker 3                  0         0             0            0",
      "────────────────────────────────────────────────────────────────",
      "total, 2.0 s            400         4            40          200",
    ]);
  });
});

describe("the crash", () => {
  const atWork = ["a", "b", "c"].map((consumer) => ({ ...NO_WORK, consumer, batches: 1 }));
  const holding = (held: Readonly<Record<string, number>>) => ({
    messages: 0,
    byConsumer: new Map(Object.entries(held)),
  });
  const nobody = new Set<number>();

  it("hits worker 2 if it holds messages, otherwise another one that does", () => {
    expect(chooseVictim(atWork, nobody, holding({ a: 300, b: 1, c: 200 }))).toEqual({ place: 1, consumer: "b" });
    expect(chooseVictim(atWork, nobody, holding({ a: 300 }))).toEqual({ place: 0, consumer: "a" });
    expect(chooseVictim(atWork, new Set([1]), holding({ b: 1, c: 1 }))).toEqual({ place: 2, consumer: "c" });
  });

  it("hits no worker that holds nothing or has not stored a batch yet, and never the last one alive", () => {
    expect(chooseVictim(atWork, nobody, holding({}))).toBeUndefined();
    expect(chooseVictim([NO_WORK, NO_WORK, NO_WORK], nobody, holding({ a: 1 }))).toBeUndefined();
    expect(chooseVictim([{ ...NO_WORK, consumer: "a" }, NO_WORK], nobody, holding({ a: 1 }))).toBeUndefined();
    expect(chooseVictim(atWork, new Set([1, 2]), holding({ a: 1 }))).toBeUndefined();
  });

  const crash = { place: 1, consumer: "b", held: 1_200 };
  const move = (from: string, to: string, messages: number) => ({ from, to, messages });

  it("is reported, and how much of what it left went to others", () => {
    expect(describeCrash(crash)).toBe("killed      worker 2, which held 1,200 messages");
    expect(describeCrash({ ...crash, held: 0 })).toBe("killed      worker 2, which held no messages");
    const moves = [move("b", "rb:released", 1_000), move("b", "rb:released", 200), move("x", "rb:released", 5)];
    expect(describeHandOver([crash], moves)).toBe("handed over 1,200 messages, to any worker with room");
    expect(describeHandOver([crash], [move("x", "rb:released", 5)])).toBe("handed over nothing");
  });

  it("is made good when what was held was handed over, no less and no more", () => {
    const check = (...moves: Parameters<typeof checkHandOver>[1]) => checkHandOver([crash], moves);
    const most = move("b", "a", 1_000);
    expect(check(most, move("b", "c", 200), move("x", "a", 5))).toMatchObject({ passed: true, finding: "1,200" });
    expect(check(most)).toMatchObject({ passed: false, finding: "1,000, expected 1,200" });
    expect(check(most, move("b", "c", 300)).passed).toBe(false);
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
    line.keep("done");
    expect(written).toEqual(["\r\u001b[Kone", "\r\u001b[Ka line that", "\r\u001b[Kdone", "\n"]);
  });

  it("is a plain line now and then elsewhere", () => {
    const { line, written, pass } = progress(false);
    line.update("too soon");
    pass(2_000);
    line.update("one");
    pass(1_999);
    line.update("too soon");
    line.keep("done");
    expect(written.join("")).toBe("one\ndone\n");
  });
});
