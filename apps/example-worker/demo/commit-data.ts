import { readFileSync } from "node:fs";

/** One line of `data/redis-commits.ndjson`. */
export interface CommitRecord {
  readonly id: string;
  readonly at: string;
  readonly subject: string;
  readonly files: number;
  readonly insertions: number;
  readonly deletions: number;
}

export interface CommitTotals {
  readonly messages: number;
  readonly insertions: number;
  readonly deletions: number;
}

/** The totals of the data, stored separately: the demo's check must not depend on its own sum. */
export const WHOLE_HISTORY: CommitTotals = { messages: 12_272, insertions: 935_699, deletions: 464_790 };

const DATA_FILE = new URL("../data/redis-commits.ndjson", import.meta.url);

/** The first commits of the Redis project; all of them unless `limit` is set. */
export function readCommits(limit = WHOLE_HISTORY.messages): readonly CommitRecord[] {
  const lines = readFileSync(DATA_FILE, "utf8").trimEnd().split("\n");
  return lines.slice(0, limit).map((line) => JSON.parse(line) as CommitRecord);
}

/** What the database must contain once these commits are stored. */
export function expectedTotals(commits: readonly CommitRecord[]): CommitTotals {
  if (commits.length >= WHOLE_HISTORY.messages) return WHOLE_HISTORY;
  return {
    messages: commits.length,
    insertions: sum(commits.map((commit) => commit.insertions)),
    deletions: sum(commits.map((commit) => commit.deletions)),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
