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
  /** Messages that stayed with a consumer that is gone, and why. */
  readonly left: readonly LeftBehind[];
  /** Messages that had been deleted from the stream; their entries in the pending list were cleared. */
  readonly vanished: readonly Vanished[];
  /** Consumers whose names were removed from group and registry: nothing was pending for them. */
  readonly removed: readonly string[];
}

export interface Move {
  readonly from: string;
  readonly to: string;
  readonly messages: number;
}

export interface LeftBehind {
  readonly consumer: string;
  readonly messages: number;
  readonly reason: string;
}

export interface Vanished {
  readonly consumer: string;
  readonly messages: number;
}
