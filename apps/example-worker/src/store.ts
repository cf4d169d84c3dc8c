import type { Commit } from "./commit.ts";

/**
 * A commit together with the stream entry that brought it: the key by which storing is idempotent. An id alone is none,
 * because entries of two streams may have the same.
 */
export interface StoredCommit extends Commit {
  readonly stream: string;
  readonly messageId: string;
}

/** Where commits are kept. */
export interface CommitStore extends AsyncDisposable {
  /**
   * Stores what is not stored yet, in one transaction, and resolves once it is durable → how many were new. A message
   * that was delivered before, and stored, is left as it is.
   *
   * @throws when the database cannot; then nothing was stored, or (when the connection broke during the commit)
   * everything, and calling again is safe either way.
   */
  save(commits: readonly StoredCommit[]): Promise<number>;
}
