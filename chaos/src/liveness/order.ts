/** Where messages of one key are worked on in order: until when each waits for those before it. */
import { compareEntries, streamOf } from "../entry.ts";
import type { LivenessPolicy } from "./bounds.ts";
import { afterOffer, type MessageHistory, type Wait, type Workers } from "./waits.ts";

/**
 * Until when each message is behind one of its stream and order key that is unsettled, or whose batch is open: no two open batches
 * have the same key. By its id; not there: it is behind none.
 */
export function behindUntil(
  messages: readonly MessageHistory[],
  workers: Workers,
  policy: LivenessPolicy,
): ReadonlyMap<string, number> {
  const until = new Map<string, number>();
  const lines = Map.groupBy(messages, ({ id, orderKey }) =>
    orderKey === undefined ? undefined : `${streamOf(id)} ${orderKey}`,
  );
  for (const [line, own] of lines) {
    if (line === undefined) continue;
    let lastMs = Number.NEGATIVE_INFINITY;
    for (const message of own.toSorted((a, b) => compareEntries(a.id, b.id))) {
      if (lastMs > message.addedAtMs) until.set(message.id, lastMs);
      lastMs = Math.max(lastMs, leavesAtMs(message, workers, policy));
    }
  }
  return until;
}

/** When those after it may go on. That a fault destroyed it is seen when it would be offered again. */
function leavesAtMs({ endMs, isDestroyed, offers }: MessageHistory, workers: Workers, policy: LivenessPolicy): number {
  if (endMs === undefined) return Number.POSITIVE_INFINITY;
  const last = offers.at(-1);
  if (last === undefined) return endMs;
  if (!isDestroyed) {
    // A batch that hangs is given up, and the batches of a process end with it.
    const lifeEndMs = workers.byWorker.get(last.worker)?.toMs ?? Number.POSITIVE_INFINITY;
    return Math.max(endMs, Math.min(last.endedAtMs ?? lifeEndMs, last.atMs + policy.maxHoldMs));
  }
  const { sinceMs } = afterOffer(last, policy);
  return Number.isFinite(sinceMs) ? Math.max(endMs, sinceMs) : endMs;
}

/** What is left of a wait where that for earlier messages of the key is none. A new one has to be read a second time after that. */
export function withoutTurnWait(wait: Wait, behindUntilMs: number | undefined): readonly Wait[] {
  if (behindUntilMs === undefined || behindUntilMs <= wait.fromMs) return [wait];
  if (behindUntilMs >= wait.toMs) return [];
  return [{ ...wait, class: wait.class === "new" ? "parked" : wait.class, fromMs: behindUntilMs }];
}
