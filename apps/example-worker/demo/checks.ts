import type { CommitRecord, CommitTotals } from "./commit-data.ts";
import type { StoredCommits } from "./stored-commits.ts";

export interface Check {
  readonly name: string;
  readonly passed: boolean;
  /** The finding, and the expected value if it differs. */
  readonly finding: string;
}

/** Compares what the workers stored with what was produced. */
export function checkResults(
  produced: readonly CommitRecord[],
  expected: CommitTotals,
  stored: StoredCommits,
  pending: number,
): readonly Check[] {
  const missing = produced.filter(({ id }) => !stored.rowsByCommit.has(id)).length;
  const repeated = [...stored.rowsByCommit.values()].filter((rows) => rows > 1).length;
  return [
    checkNumber("messages", stored.rows, expected.messages),
    checkNumber("insertions", stored.insertions, expected.insertions),
    checkNumber("deletions", stored.deletions, expected.deletions),
    {
      name: "each message stored exactly once",
      passed: missing === 0 && repeated === 0 && stored.rowsByCommit.size === produced.length,
      finding: `${missing} missing, ${repeated} more than once`,
    },
    checkNumber("messages not acknowledged", pending, 0),
  ];
}

export function checkNumber(name: string, found: number, expected: number): Check {
  const passed = found === expected;
  return { name, passed, finding: passed ? count(found) : `${count(found)}, expected ${count(expected)}` };
}

/** A whole number with separators: `12,272`. */
export function count(number: number): string {
  return Math.round(number).toLocaleString("en-US");
}
