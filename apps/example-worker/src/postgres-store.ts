import { Pool, type PoolClient } from "pg";
import type { CommitStore, StoredCommit } from "./store.ts";

const CONNECT_TIMEOUT_MS = 10_000;
// A database that does not answer must not hold a batch forever; the batch is redelivered.
const QUERY_TIMEOUT_MS = 60_000;

// Any number, as long as all workers use the same.
const SCHEMA_LOCK = 7_243_001;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS commits (
    stream       text NOT NULL,
    message_id   text NOT NULL,
    commit_id    text NOT NULL,
    committed_at timestamptz NOT NULL,
    subject      text NOT NULL,
    files        integer NOT NULL,
    insertions   integer NOT NULL,
    deletions    integer NOT NULL,
    PRIMARY KEY (stream, message_id)
  )`;

// One array per column, so that the number of parameters does not grow with the batch (PostgreSQL's limit is 65,535).
const INSERT = `
  INSERT INTO commits (stream, message_id, commit_id, committed_at, subject, files, insertions, deletions)
  SELECT * FROM unnest(
    $1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::int[], $7::int[], $8::int[]
  )
  ON CONFLICT (stream, message_id) DO NOTHING`;

/** Commits in a PostgreSQL table. */
export class PostgresStore implements CommitStore {
  readonly #pool: Pool;

  private constructor(pool: Pool) {
    this.#pool = pool;
  }

  /**
   * Connects, and creates the table if it is missing.
   *
   * @throws when it cannot, or when the database's encoding is not UTF8
   * @param onIdleError called if the connection breaks while it is idle; the next batch opens a new one
   */
  static async open(url: string, onIdleError: (error: Error) => void): Promise<PostgresStore> {
    const pool = new Pool({
      connectionString: url,
      // A worker stores one batch at a time.
      max: 1,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: QUERY_TIMEOUT_MS,
    });
    // Without a listener a broken idle connection would end the process.
    pool.on("error", onIdleError);
    // The pool does not listen while a batch is stored; then the statement fails, or the next one.
    pool.on("connect", (client) => client.on("error", () => undefined));
    const store = new PostgresStore(pool);
    try {
      await store.#inTransaction(async (client) => {
        // Any other encoding would refuse characters that it lacks, which a check of the message could not predict.
        const { rows } = await client.query<{ server_encoding: string }>("SHOW server_encoding");
        const [encoding = ""] = rows.map((row) => row.server_encoding);
        if (encoding !== "UTF8") throw new Error(`the database's encoding is ${encoding}, but must be UTF8`);
        // With IF NOT EXISTS alone, two workers that start at the same time may collide.
        await client.query("SELECT pg_advisory_xact_lock($1)", [SCHEMA_LOCK]);
        await client.query(SCHEMA);
      });
    } catch (error) {
      await pool.end();
      throw error;
    }
    return store;
  }

  save(commits: readonly StoredCommit[]): Promise<number> {
    return this.#inTransaction(async (client) => {
      const inserted = await client.query(INSERT, [
        commits.map((commit) => commit.stream),
        commits.map((commit) => commit.messageId),
        commits.map((commit) => commit.commitId),
        commits.map((commit) => commit.committedAt),
        commits.map((commit) => commit.subject),
        commits.map((commit) => commit.files),
        commits.map((commit) => commit.insertions),
        commits.map((commit) => commit.deletions),
      ]);
      return inserted.rowCount ?? 0;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.end();
  }

  async #inTransaction<Result>(work: (client: PoolClient) => Promise<Result>): Promise<Result> {
    const client = await this.#pool.connect();
    let fault: unknown;
    try {
      await client.query("BEGIN");
      const result = await work(client);
      await client.query("COMMIT");
      return result;
    } catch (error) {
      fault = error;
      throw error;
    } finally {
      // After a failure the connection is closed, not returned: that rolls back, whatever its state.
      client.release(fault !== undefined);
    }
  }
}
