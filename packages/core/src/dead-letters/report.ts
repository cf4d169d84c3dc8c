import type { Redrive } from "../wire/atomic/redrive.ts";
import type { DeadLetter, LetterId } from "./letter.ts";
import type { LetterGroup } from "./letter-groups.ts";

/** A page of dead letters, oldest first. */
export interface LetterPage {
  readonly letters: readonly DeadLetter[];
  /** Where the next page starts; `null` if there is none. The next page may still turn out to be empty. */
  readonly next: LetterId | null;
  /** Entries among them that Redis Batch did not write. They are left alone, unless discarded by their ids. */
  readonly foreign: number;
}

/** Dead letters by what went wrong, the largest group first. */
export interface LetterSummary {
  readonly groups: readonly LetterGroup[];
  /** Dead letters that were looked at: the newest, and fewer than there are if there are more than `limit`. */
  readonly examined: number;
  /** Whether that is all of them. */
  readonly isAll: boolean;
}

/** The number of dead letters by result. */
export interface RedriveCounts {
  /** Pending again in their group, under their original entry ids. */
  readonly redriven: number;
  /** Added to the stream as new entries, for every group. */
  readonly added: number;
  /** Left unchanged; the report says why. */
  readonly skipped: number;
  /** Not found: already redriven or discarded, by another process or an earlier call. */
  readonly missing: number;
}

/** The result for one dead letter; `id` is the id of the dead letter. */
export type RedriveOutcome = Redrive & { readonly id: LetterId };

export interface RedriveReport extends RedriveCounts {
  /** One result per dead letter, in the order of the ids. */
  readonly letters: readonly RedriveOutcome[];
  /** Where a filter continues after its `limit`; `null` if it has seen every dead letter, and for `ids`. */
  readonly next: LetterId | null;
}

export interface DiscardProgress {
  readonly discarded: number;
}
