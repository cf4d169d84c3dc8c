import type { Commit } from "./commit.ts";

/**
 * A commit with its stream entry, which is the key that makes storing idempotent. The id alone is not enough, because
 * entries of two streams may have the same id.
 */
export interface StoredCommit extends Commit {
  readonly stream: string;
  readonly messageId: string;
}

/** Stores commits. */
export interface CommitStore extends AsyncDisposable {
  /**
   * Stores new commits in one transaction, and resolves once they are durable → how many were new. A redelivered message
   * that is already stored is left unchanged.
   *
   * @throws when the database fails; then nothing was stored, or, if the connection broke during the commit, everything.
   * Calling again is safe either way.
   */
  save(commits: readonly StoredCommit[]): Promise<number>;
}
