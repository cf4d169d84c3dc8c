/** Whether a deferred message was redelivered too early. */
import { isLeaseAtRisk, type Offer, type Span, type WorkerLife } from "./duplicate.ts";
import { mayBeForgotten } from "./forgotten.ts";

/** Timers go off a little early, and the server's clock is not the worker's. */
const TOLERANCE_MS = 150;
/** How long it may take until the server knows that a message is deferred. Who dies or is cut off sooner has told nobody. */
const TELL_MS = 1_000;

/** @param offers all of one message */
export function findTooEarly(
  offers: readonly Offer[],
  workers: ReadonlyMap<string, WorkerLife>,
  leaseMs: number,
  forgotten: readonly Span[] = [],
): readonly { readonly id: string; readonly text: string }[] {
  const inOrder = offers.toSorted((a, b) => a.atMs - b.atMs);
  return inOrder.flatMap(({ id, worker, atMs, deferred, refusedAtMs }, index) => {
    const next = inOrder[index + 1];
    // An outcome that came too late defers nothing: by then the message was released, because it was held for too long.
    if (deferred === undefined || refusedAtMs !== undefined || next === undefined) return [];
    const earlyMs = deferred.atMs + deferred.delayMs - next.atMs;
    const life = workers.get(worker);
    if (earlyMs <= TOLERANCE_MS || life === undefined || !couldTell(life, deferred.atMs)) return [];
    if (mayBeForgotten(deferred.atMs, deferred.atMs + TELL_MS, forgotten)) return [];
    // By then the message may have been the group's again.
    if (isLeaseAtRisk(life, atMs, deferred.atMs, leaseMs)) return [];
    const text = `deferred by ${worker} for ${deferred.delayMs} ms, offered by ${next.worker} ${Math.round(earlyMs)} ms too early`;
    return [{ id, text }];
  });
}

function couldTell(life: WorkerLife, atMs: number): boolean {
  const untilMs = atMs + TELL_MS;
  if (life.endedAtMs !== undefined && life.endedAtMs < untilMs) return false;
  return life.standstills.every(({ fromMs, toMs }) => fromMs >= untilMs || toMs <= atMs);
}
