import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { CommitStore, StoredCommit } from "./store.ts";

// How long to wait while another process writes. It writes one batch at a time, so its turn is over in milliseconds.
const BUSY_TIMEOUT_MS = 10_000;

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

  constructor(path: string) {
    this.#database = new DatabaseSync(path);
    this.#database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    // Readers and the writer do not wait for each other.
    this.#database.exec("PRAGMA journal_mode = WAL");
    // On disk before it is acknowledged: with less, a power failure could take what Redis has already forgotten.
    this.#database.exec("PRAGMA synchronous = FULL");
    this.#database.exec(SCHEMA);
    this.#insert = this.#database.prepare(INSERT);
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
