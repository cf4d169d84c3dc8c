/** The number of messages that wait for a group, and its source. A wrong number is worse than none. */
import { compareEntryIds, type EntryId } from "../names/entry-id.ts";

/**
 * Source of a number of waiting messages: `server`, the server's own lag · `counted`, all entries after the last
 * delivered one were counted · `at least`, counting stopped at its limit · `unknown`, it could not be determined.
 */
export type BacklogSource = "server" | "counted" | "at least" | "unknown";

/** Messages that have not been delivered to any consumer of the group. */
export interface Backlog {
  /** With the source `at least` there are this many or more. `null` if unknown. */
  readonly messages: number | null;
  readonly source: BacklogSource;
}

export interface BacklogFacts {
  /** Entries in the stream. */
  readonly length: number;
  readonly firstEntryId: EntryId | null;
  readonly lastDeliveredId: EntryId;
  /** The server's own number; `null` if it does not know. */
  readonly lag: number | null;
  /** The oldest entry after the last delivered one; `null` if there is none, `undefined` if it could not be read. */
  readonly firstWaitingId: EntryId | null | undefined;
}

/** `count`: the entries must be counted. */
export type BacklogVerdict = { readonly kind: "known"; readonly backlog: Backlog } | { readonly kind: "count" };

/**
 * Takes the server's lag if it can be right. It is nil after an unread entry was deleted, and too high if unread entries
 * were trimmed (Redis before 8.0, Valkey before 8.1), most visibly when nothing waits.
 */
export function decideBacklog(facts: BacklogFacts): BacklogVerdict {
  const { length, firstEntryId, lastDeliveredId, lag, firstWaitingId } = facts;
  if (firstWaitingId === null) return known({ messages: 0, source: lag === 0 ? "server" : "counted" });
  // No entry of the stream was delivered, so all of them wait.
  if (firstEntryId !== null && compareEntryIds(firstEntryId, lastDeliveredId) > 0) {
    return known({ messages: length, source: lag === length ? "server" : "counted" });
  }
  if (lag !== null && lag > 0 && lag <= length) return known({ messages: lag, source: "server" });
  return { kind: "count" };
}

/** The result of counting: `isComplete` if it reached the end of the stream. */
export function backlogOfCount(counted: number, isComplete: boolean): Backlog {
  return { messages: counted, source: isComplete ? "counted" : "at least" };
}

const known = (backlog: Backlog): BacklogVerdict => ({ kind: "known", backlog });
