/** What became of a process pool's workers, reported after it happened. The contract is `docs/events.md`. */
export type ProcessPoolEvent =
  | { readonly type: "workerStarted"; readonly pid: number }
  /** It was told to end: it finishes or releases what it holds. */
  | { readonly type: "workerDraining"; readonly pid: number }
  /** It did not end in time and is killed; what it holds is recovered after its lease. */
  | { readonly type: "workerKilled"; readonly pid: number; readonly afterMs: number }
  /** `pid` is `null` where it could not even be started. `reason`: how it ended. */
  | { readonly type: "workerEnded"; readonly pid: number | null; readonly reason: string; readonly wasAsked: boolean }
  /** One that ended by itself is replaced after a wait. */
  | { readonly type: "workerRestarting"; readonly inMs: number; readonly attempt: number }
  /** The guard cannot be started: when this process is killed, its workers live on. */
  | { readonly type: "unguarded"; readonly reason: string };
