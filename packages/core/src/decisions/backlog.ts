/** How many messages wait for a group, and from where that is known. A wrong number is worse than none. */
import { compareEntryIds, type EntryId } from "../names/entry-id.ts";

/**
 * Where a number of waiting messages comes from: `server`, the server's own lag · `counted`, the entries after the last
 * delivered one were counted to the end · `at least`, counting stopped at its bound · `unknown`, it could not be told.
 */
export type BacklogSource = "server" | "counted" | "at least" | "unknown";

/** Messages that no consumer of a group was given yet. */
export interface Backlog {
  /** With the source `at least` there are this many or more. `null` when it is unknown. */
  readonly messages: number | null;
  readonly source: BacklogSource;
}

export interface BacklogFacts {
  /** Entries in the stream. */
  readonly length: number;
  readonly firstEntryId: EntryId | null;
  readonly lastDeliveredId: EntryId;
  /** The server's own number; `null` when it does not know. */
  readonly lag: number | null;
  /** The oldest entry after the last delivered one, looked up; `null` when there is none. */
  readonly firstWaitingId: EntryId | null;
}

/** `count`: only counting the entries can tell. */
export type BacklogVerdict = { readonly kind: "known"; readonly backlog: Backlog } | { readonly kind: "count" };

/**
 * Takes the server's lag where it can be right. It is nil after an unread entry was deleted, and too high where unread
 * entries were trimmed (Redis before 8.0, Valkey before 8.1), above all where nothing waits.
 */
export function decideBacklog(facts: BacklogFacts): BacklogVerdict {
  const { length, firstEntryId, lastDeliveredId, lag, firstWaitingId } = facts;
  if (firstWaitingId === null) return known({ messages: 0, source: lag === 0 ? "server" : "counted" });
  // Nothing of what is there was delivered, so all of it waits.
  if (firstEntryId !== null && compareEntryIds(firstEntryId, lastDeliveredId) > 0) {
    return known({ messages: length, source: lag === length ? "server" : "counted" });
  }
  if (lag !== null && lag > 0 && lag <= length) return known({ messages: lag, source: "server" });
  return { kind: "count" };
}

/** What counting has found: `isComplete` when it came to the end of the stream. */
export function backlogOfCount(counted: number, isComplete: boolean): Backlog {
  return { messages: counted, source: isComplete ? "counted" : "at least" };
}

const known = (backlog: Backlog): BacklogVerdict => ({ kind: "known", backlog });
