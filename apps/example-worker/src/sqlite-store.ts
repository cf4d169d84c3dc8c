import { DatabaseSync, type StatementSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import type { CommitStore, StoredCommit } from "./store.ts";

// How long to wait while another process writes. A worker writes one batch at a time, which takes milliseconds.
const BUSY_LIMIT_MS = 10_000;
const BUSY_PAUSE_MS = 20;
// How long SQLite itself waits, which blocks the process; far less than a lease, which must be renewed meanwhile.
const BUSY_TIMEOUT_MS = 100;
const SQLITE_BUSY = 5;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS commits (
    stream       TEXT NOT NULL,
    message_id   TEXT NOT NULL,
    commit_id    TEXT NOT NULL,
    committed_at TEXT NOT NULL,
    subject      TEXT NOT NULL,
    files        INTEGER NOT NULL,
    insertions   INTEGER NOT NULL,
    deletions    INTEGER NOT NULL,
    PRIMARY KEY (stream, message_id)
  ) STRICT`;

const INSERT = `
  INSERT INTO commits (stream, message_id, commit_id, committed_at, subject, files, insertions, deletions)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (stream, message_id) DO NOTHING`;

/** Commits in an SQLite file, which several worker processes on one machine may share. */
export class SqliteStore implements CommitStore {
  readonly #path: string;
  #connection: Connection | undefined;

  private constructor(path: string, connection: Connection) {
    this.#path = path;
    this.#connection = connection;
  }

  /** Opens the file; creates it and its table if they are missing. */
  static async open(path: string): Promise<SqliteStore> {
    const database = new DatabaseSync(path);
    try {
      await onceFree(() => {
        // Readers and the writer do not wait for each other.
        database.exec("PRAGMA journal_mode = WAL");
        database.exec(SCHEMA);
      });
      return new SqliteStore(path, prepare(database));
    } catch (error) {
      database.close();
      throw error;
    }
  }

  save(commits: readonly StoredCommit[]): Promise<number> {
    return onceFree(() => this.#saveNow(commits));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#connection?.database.close();
  }

  #saveNow(commits: readonly StoredCommit[]): number {
    this.#connection ??= reopen(this.#path);
    const { database, insert } = this.#connection;
    try {
      // IMMEDIATE takes the write lock now; a transaction that needs it later would be refused instead of waiting.
      database.exec("BEGIN IMMEDIATE");
      let added = 0;
      for (const commit of commits) added += add(insert, commit);
      database.exec("COMMIT");
      return added;
    } catch (error) {
      // Closing rolls back. And a file that SQLite could only open for reading stays read-only, whatever changes.
      this.#connection = undefined;
      database.close();
      throw error;
    }
  }
}

interface Connection {
  readonly database: DatabaseSync;
  readonly insert: StatementSync;
}

/** Opens an existing file: one that is missing now may come back, and must not be created again. */
function reopen(path: string): Connection {
  const url = pathToFileURL(path);
  url.searchParams.set("mode", "rw");
  const database = new DatabaseSync(url);
  try {
    return prepare(database);
  } catch (error) {
    database.close();
    throw error;
  }
}

function prepare(database: DatabaseSync): Connection {
  // On disk before the acknowledgement: otherwise a power failure could lose messages that Redis no longer has.
  database.exec("PRAGMA synchronous = FULL");
  database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
  return { database, insert: database.prepare(INSERT) };
}

function add(insert: StatementSync, commit: StoredCommit): number {
  const { stream, messageId, commitId, committedAt, subject, files, insertions, deletions } = commit;
  return Number(insert.run(stream, messageId, commitId, committedAt, subject, files, insertions, deletions).changes);
}

/**
 * Retries while another process has locked the file. SQLite's timeout alone is not enough: some of several workers that
 * create the file at the same time are refused anyway, and its wait blocks the process.
 */
async function onceFree<Result>(act: () => Result): Promise<Result> {
  const giveUpAtMs = performance.now() + BUSY_LIMIT_MS;
  for (;;) {
    try {
      return act();
    } catch (error) {
      if (!isBusy(error) || performance.now() > giveUpAtMs) throw error;
    }
    await pause(BUSY_PAUSE_MS);
  }
}

function isBusy(error: unknown): boolean {
  // The lowest byte is the error; the others are details.
  return error instanceof Error && "errcode" in error && (Number(error.errcode) & 0xff) === SQLITE_BUSY;
}
