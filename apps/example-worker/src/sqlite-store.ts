import { DatabaseSync, type StatementSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
import type { CommitStore, StoredCommit } from "./store.ts";

// How long to wait while another process writes. It writes one batch at a time, so its turn is over in milliseconds.
const BUSY_TIMEOUT_MS = 10_000;
const BUSY_PAUSE_MS = 20;
const SQLITE_BUSY = 5;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS commits (
    message_id   TEXT PRIMARY KEY,
    commit_id    TEXT NOT NULL,
    committed_at TEXT NOT NULL,
    subject      TEXT NOT NULL,
    files        INTEGER NOT NULL,
    insertions   INTEGER NOT NULL,
    deletions    INTEGER NOT NULL
  ) STRICT`;

const INSERT = `
  INSERT INTO commits (message_id, commit_id, committed_at, subject, files, insertions, deletions)
  VALUES (?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (message_id) DO NOTHING`;

/** Commits in an SQLite file, which several worker processes of one machine may share. */
export class SqliteStore implements CommitStore {
  readonly #database: DatabaseSync;
  readonly #insert: StatementSync;

  private constructor(database: DatabaseSync) {
    this.#database = database;
    this.#insert = database.prepare(INSERT);
  }

  /** Opens the file, and creates it, and its table, where they are missing. */
  static async open(path: string): Promise<SqliteStore> {
    const database = new DatabaseSync(path);
    try {
      await onceFree(() => {
        // Readers and the writer do not wait for each other.
        database.exec("PRAGMA journal_mode = WAL");
        database.exec(SCHEMA);
      });
      // On disk before it is acknowledged: with less, a power failure could take what Redis has already forgotten.
      database.exec("PRAGMA synchronous = FULL");
      database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
      return new SqliteStore(database);
    } catch (error) {
      database.close();
      throw error;
    }
  }

  async save(commits: readonly StoredCommit[]): Promise<number> {
    // IMMEDIATE takes the write lock now; a transaction that wants it later is refused instead of waiting.
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      let added = 0;
      for (const commit of commits) added += this.#add(commit);
      this.#database.exec("COMMIT");
      return added;
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#database.close();
  }

  #add({ messageId, commitId, committedAt, subject, files, insertions, deletions }: StoredCommit): number {
    return Number(this.#insert.run(messageId, commitId, committedAt, subject, files, insertions, deletions).changes);
  }
}

/** Sets up the file once nobody else does: of workers that start together SQLite refuses some, whatever the timeout. */
async function onceFree(setUp: () => void): Promise<void> {
  const giveUpAtMs = performance.now() + BUSY_TIMEOUT_MS;
  for (;;) {
    try {
      return setUp();
    } catch (error) {
      if (!isBusy(error) || performance.now() > giveUpAtMs) throw error;
    }
    await pause(BUSY_PAUSE_MS);
  }
}

function isBusy(error: unknown): boolean {
  // The lowest byte: the others say what it is busy with.
  return error instanceof Error && "errcode" in error && (Number(error.errcode) & 0xff) === SQLITE_BUSY;
}
