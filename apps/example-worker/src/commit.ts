/** The content of a message: a commit of the Redis project. */
export interface Commit {
  readonly commitId: string;
  /** ISO 8601 with the committer's own offset, such as `2009-03-22T10:30:00+01:00`. */
  readonly committedAt: string;
  readonly subject: string;
  readonly files: number;
  readonly insertions: number;
  readonly deletions: number;
}

export type ParsedCommit =
  | { readonly kind: "commit"; readonly commit: Commit }
  /** Which fields are wrong, and how; their values are not quoted, because this goes to the log. */
  | { readonly kind: "unreadable"; readonly problems: readonly string[] };

// The largest count that fits the databases' integer column.
const MAX_COUNT = 2 ** 31 - 1;

/**
 * Reads a message's fields. Everything that a database would refuse is checked here: one refused row would fail the
 * transaction, and with it the whole batch.
 */
export function parseCommit(fields: Readonly<Record<string, string>>): ParsedCommit {
  const problems: string[] = [];

  const text = (name: string, isRight: (value: string) => boolean, rule: string): string => {
    const value = fields[name];
    if (value === undefined) problems.push(`${name} is missing`);
    else if (!isRight(value)) problems.push(`${name} must be ${rule}`);
    return value ?? "";
  };
  const count = (name: string): number => Number(text(name, isCount, `a whole number from 0 to ${MAX_COUNT}`));

  const commit: Commit = {
    commitId: text("id", (value) => /^[0-9a-f]{7,64}$/.test(value), "7 to 64 hexadecimal digits"),
    committedAt: text("at", isTimestamp, "a time such as 2009-03-22T10:30:00+01:00"),
    // PostgreSQL stores any character but this one.
    subject: text("subject", (value) => !value.includes("\0"), "text without NUL characters"),
    files: count("files"),
    insertions: count("insertions"),
    deletions: count("deletions"),
  };
  return problems.length === 0 ? { kind: "commit", commit } : { kind: "unreadable", problems };
}

function isCount(value: string): boolean {
  return /^\d+$/.test(value) && Number(value) <= MAX_COUNT;
}

function isTimestamp(value: string): boolean {
  // Date accepts any offset of less than a day; PostgreSQL only less than 16 hours.
  const day = /^([1-9]\d{3}-\d\d-\d\d)T\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-](?:0\d|1[0-5]):\d\d)$/.exec(value)?.[1];
  // Date accepts 30 February as a day in March.
  return day !== undefined && !Number.isNaN(Date.parse(value)) && new Date(day).toISOString().startsWith(day);
}
