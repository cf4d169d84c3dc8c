import { DatabaseSync } from "node:sqlite";

export interface YearTotals {
  readonly year: string;
  readonly commits: number;
  readonly insertions: number;
  readonly deletions: number;
}

/** Reads what the workers have stored in the database. */
export interface StoredCommits {
  readonly rows: number;
  readonly insertions: number;
  readonly deletions: number;
  /** Rows per commit: each must exist once, whichever message contained it. */
  readonly rowsByCommit: ReadonlyMap<string, number>;
  readonly years: readonly YearTotals[];
}

const BY_COMMIT = "SELECT commit_id AS commitId, count(*) AS stored FROM commits GROUP BY commit_id";

// The year as the committer saw it: the time is stored with its own offset.
const BY_YEAR = `
  SELECT substr(committed_at, 1, 4) AS year, count(*) AS commits,
         sum(insertions) AS insertions, sum(deletions) AS deletions
  FROM commits GROUP BY year ORDER BY year`;

const TOTALS = `
  SELECT count(*) AS messages, coalesce(sum(insertions), 0) AS insertions, coalesce(sum(deletions), 0) AS deletions
  FROM commits`;

// How long to wait for a worker that has locked the file.
const BUSY_TIMEOUT_MS = 10_000;

/** How many commits are stored so far, in a file that a worker has created. */
export function countStoredCommits(path: string): number {
  const database = new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
  try {
    const { messages } = database.prepare("SELECT count(*) AS messages FROM commits").get() as { messages: number };
    return messages;
  } finally {
    database.close();
  }
}

export function readStoredCommits(path: string): StoredCommits {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const totals = database.prepare(TOTALS).get() as { messages: number; insertions: number; deletions: number };
    const byCommit = database.prepare(BY_COMMIT).all() as { commitId: string; stored: number }[];
    return {
      rows: totals.messages,
      insertions: totals.insertions,
      deletions: totals.deletions,
      rowsByCommit: new Map(byCommit.map(({ commitId, stored }) => [commitId, stored])),
      years: database.prepare(BY_YEAR).all() as unknown as YearTotals[],
    };
  } finally {
    database.close();
  }
}
