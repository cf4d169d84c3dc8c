import type { EntryId } from "../names/entry-id.ts";
import type { Redrive } from "../wire/atomic/redrive.ts";
import type { DeadLetter } from "./letter.ts";

/** A page of dead letters, oldest first. */
export interface LetterPage {
  readonly letters: readonly DeadLetter[];
  /** Where the next page begins; `null` when there is none. After a number it may still turn out to be empty. */
  readonly next: EntryId | null;
  /** Entries among them that Redis Batch did not write. They are left alone, unless discarded by their ids. */
  readonly foreign: number;
}

/** What became of so many letters. */
export interface RedriveCounts {
  /** Pending again in their group, as the entries they always were. */
  readonly redriven: number;
  /** Added to the stream as new entries, for every group. */
  readonly added: number;
  /** Left as they are; the report says why. */
  readonly skipped: number;
  /** Not there (any more): redriven or discarded by somebody else, or by an earlier call. */
  readonly missing: number;
}

/** What became of one letter; `id` is its own id. */
export type RedriveOutcome = Redrive & { readonly id: EntryId };

export interface RedriveReport extends RedriveCounts {
  /** Letter by letter, in the order of the ids. */
  readonly letters: readonly RedriveOutcome[];
  /** Where a filter goes on after its `limit`; `null` when it has seen every letter, and for `ids`. */
  readonly next: EntryId | null;
}

export interface DiscardProgress {
  readonly discarded: number;
}
