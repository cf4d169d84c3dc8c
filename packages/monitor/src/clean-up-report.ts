/** The result of a clean-up, or its plan. Plain JSON data. */

export interface CleanUpReport {
  readonly v: 1;
  /** When it started, in milliseconds since 1970, by the server's clock. */
  readonly atMs: number;
  readonly stream: string;
  /** Whether this is only the plan, and nothing was changed. */
  readonly dryRun: boolean;
  /** In the order of their names. */
  readonly groups: readonly GroupCleanUp[];
}

export interface GroupCleanUp {
  readonly group: string;
  /** What was done, or why nothing was, as a sentence. */
  readonly reason: string;
  /** Messages that have a new owner; delivery counts stay. */
  readonly moves: readonly Move[];
  /**
   * Where the released messages went, within two seconds; `null` if none were released, or if the call did not wait: on a
   * dry run, and in `run`.
   */
  readonly taken: Taken | null;
  /** Messages that stayed with a dead consumer, and why. */
  readonly left: readonly LeftBehind[];
  /** Messages that had been deleted from the stream; their entries in the pending list were cleared. */
  readonly trimmed: readonly TrimmedPending[];
  /** Consumers whose names were removed from group and registry: nothing was pending for them. */
  readonly removed: readonly string[];
}

export interface Move {
  readonly from: string;
  /** `rb:released`: any consumer with room. */
  readonly to: string;
  readonly messages: number;
}

export interface Taken {
  /** How many of the group's released messages still wait for a consumer with room. */
  readonly waiting: number;
  /**
   * Consumers with more pending or acknowledged messages than before, in the order of their names; at most the number
   * that was released, because new messages cannot be distinguished from released ones.
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
