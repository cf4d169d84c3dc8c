/** What a failover may take back: replication is asynchronous, so a successor lacks the last writes of the master before. */
import type { Span } from "./duplicate.ts";

/** How far a replica may be behind, on a busy machine. */
const LAG_MS = 1_000;

/** Whether what the server was told between these times may have been taken back. */
export function mayBeForgotten(fromMs: number, toMs: number, forgotten: readonly Span[]): boolean {
  return forgotten.some((span) => fromMs <= span.toMs && toMs >= span.fromMs - LAG_MS);
}
