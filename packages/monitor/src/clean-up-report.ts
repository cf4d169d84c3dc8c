/** What a clean-up did, or would do. Plain JSON data. */

export interface CleanUpReport {
  readonly v: 1;
  /** When it began, in milliseconds since 1970, by the server's clock. */
  readonly atMs: number;
  readonly stream: string;
  /** Whether nothing was done, and this is the plan. */
  readonly dryRun: boolean;
  /** In the order of their names. */
  readonly groups: readonly GroupCleanUp[];
}

export interface GroupCleanUp {
  readonly group: string;
  /** What was done, or why nothing was, in words. */
  readonly reason: string;
  /** Messages that changed their owner; the delivery counts stay. */
  readonly moves: readonly Move[];
  /**
   * What became of the messages that were released, two seconds later at most; `null` where none was, or nobody waited
   * for it: on a dry run, and in `run`.
   */
  readonly taken: Taken | null;
  /** Messages that stayed with a consumer that is gone, and why. */
  readonly left: readonly LeftBehind[];
  /** Messages that had been deleted from the stream; their entries in the pending list were cleared. */
  readonly trimmed: readonly TrimmedPending[];
  /** Consumers whose names were removed from group and registry: nothing was pending for them. */
  readonly removed: readonly string[];
}

export interface Move {
  readonly from: string;
  /** `rb:released`: whichever consumer has room. */
  readonly to: string;
  readonly messages: number;
}

export interface Taken {
  /** How many of the group's released messages still wait for a consumer with room. */
  readonly waiting: number;
  /**
   * Who has more pending or acknowledged than before, in the order of their names; at most what was released, since
   * new messages cannot be told from others.
   */
  readonly by: readonly { readonly consumer: string; readonly messages: number }[];
}

export interface LeftBehind {
  readonly consumer: string;
  readonly messages: number;
  readonly reason: string;
}

export interface TrimmedPending {
  readonly consumer: string;
  readonly messages: number;
}
