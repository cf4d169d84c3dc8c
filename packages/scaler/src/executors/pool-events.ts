/** Events of a process pool's workers, reported after the fact. The contract is `docs/events.md`. */
export type ProcessPoolEvent =
  | { readonly type: "workerStarted"; readonly pid: number }
  /** It was asked to stop: it finishes or releases its messages. */
  | { readonly type: "workerDraining"; readonly pid: number }
  /** It did not stop in time and is killed; its messages are recovered after its lease. */
  | { readonly type: "workerKilled"; readonly pid: number; readonly afterMs: number }
  /** `pid` is `null` if it could not be started. `reason`: how it ended. */
  | { readonly type: "workerEnded"; readonly pid: number | null; readonly reason: string; readonly wasAsked: boolean }
  /** A worker that ended by itself is replaced after a delay. */
  | { readonly type: "workerRestarting"; readonly inMs: number; readonly attempt: number }
  /** The guard cannot be started: if this process is killed, its workers keep running. */
  | { readonly type: "unguarded"; readonly reason: string };
