/** The judge of owners: how long a partition belonged to nobody while somebody healthy could have taken it. */
import type { LivenessPolicy } from "./bounds.ts";
import { coveredMs, mergeSpans, type Span, subtractSpans } from "./spans.ts";
import { healthySpans, type WorkerView } from "./worker-view.ts";

/** A time in which a partition had no owner for too long. */
export interface Ownerless {
  readonly stream: string;
  /** Who could have taken it. */
  readonly worker: string;
  readonly fromMs: number;
  /** How long that one could have, in milliseconds, and how long it may take. */
  readonly waitedMs: number;
  readonly allowedMs: number;
}

/** Consumers look at each other each second; then the server is asked, and the partition is started. */
const LOOK_MS = 1_000;
const SLACK_MS = 1_000;

/** The worst of each partition, where it is too long. Pure: the same account gives the same verdict. */
export function judgeOwners(
  workers: readonly WorkerView[],
  policy: Pick<LivenessPolicy, "leaseMs" | "heartbeatMs">,
  stalls: readonly Span[],
  round: Span,
): readonly Ownerless[] {
  // A dead owner counts for a lease, and so does one that dies before it takes what should be its own.
  const allowedMs = 2 * policy.leaseMs + 3 * policy.heartbeatMs + LOOK_MS + SLACK_MS;
  const machineStalls = mergeSpans(stalls);
  const partitions = Map.groupBy(
    workers.filter(({ owned }) => owned !== undefined),
    ({ stream }) => stream,
  );
  return [...partitions].flatMap(([stream, views]) => {
    const gaps = subtractSpans(round, mergeSpans(views.flatMap(({ owned = [] }) => owned)));
    const waits = views
      .filter(({ isOld }) => !isOld)
      .flatMap((view) =>
        healthySpans(view, round.toMs)
          .flatMap((span) => gaps.flatMap((gap) => shared(span, gap)))
          .map((span) => ({ span, waitedMs: span.toMs - span.fromMs - coveredMs(span, machineStalls), view })),
      )
      .toSorted((a, b) => b.waitedMs - a.waitedMs);
    const [worst] = waits;
    if (worst === undefined || worst.waitedMs <= allowedMs) return [];
    const { waitedMs, view, span } = worst;
    return [{ stream, worker: view.worker, fromMs: span.fromMs, waitedMs, allowedMs }];
  });
}

function shared(a: Span, b: Span): Span[] {
  const both = { fromMs: Math.max(a.fromMs, b.fromMs), toMs: Math.min(a.toMs, b.toMs) };
  return both.fromMs < both.toMs ? [both] : [];
}
