/** When the batch that is being collected is handed over. */

/** What could be handed over right now, and since when somebody has been waiting. */
export interface OpenBatch {
  /** Messages that may go into the batch, at most a batch full. */
  readonly entries: number;
  readonly bytes: number;
  /**
   * When the wait began: the call of `fetch()`, or the arrival of the first message in the other modes. `null`: no
   * message has arrived, and an empty batch is not wanted.
   */
  readonly waitingSinceMs: number | null;
}

export interface CutPolicy {
  readonly batchSize: number;
  readonly maxBytes: number;
  readonly maxWaitMs: number;
}

export type CutDecision =
  | { readonly kind: "cut"; readonly reason: "entries" | "bytes" | "wait" }
  /** Look again after so long, or when something changes. `null`: only when something changes. */
  | { readonly kind: "wait"; readonly forMs: number | null };

/** Says whether the open batch is handed over now. */
export function decideCut(open: OpenBatch, policy: CutPolicy, nowMs: number): CutDecision {
  if (open.entries >= policy.batchSize) return { kind: "cut", reason: "entries" };
  if (open.entries > 0 && open.bytes >= policy.maxBytes) return { kind: "cut", reason: "bytes" };
  if (open.waitingSinceMs === null) return { kind: "wait", forMs: null };
  const leftMs = open.waitingSinceMs + policy.maxWaitMs - nowMs;
  return leftMs <= 0 ? { kind: "cut", reason: "wait" } : { kind: "wait", forMs: leftMs };
}
