/** Tells a server that is away from one that refuses for other reasons, and says how soon to ask it again. */
import { ConnectionError } from "@redis-batch/core";
import { isAway } from "@redis-batch/core/internal/errors";
import type { BackoffPolicy } from "@redis-batch/core/internal/service";

/** A Cluster does not announce that it has a master for the stream again: the next attempt finds out, and messages wait for it. */
export const RETRY_AWAY: BackoffPolicy = { baseMs: 100, capMs: 250 };

/** Whether no server can be reached that serves the stream now. */
export function isServerAway(error: unknown): boolean {
  return ConnectionError.is(error) || isAway(error);
}
