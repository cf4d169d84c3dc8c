/** What the liveness of a round needs to know of one worker's process, and when it could have taken a message. */
import { mergeSpans, type Span, subtractSpans } from "./spans.ts";

/** One batch in the handler's hands. */
export interface Call {
  readonly fromMs: number;
  /** `undefined`: it never ended. */
  readonly toMs: number | undefined;
  /** Whether its message is one that is kept apart from others. */
  readonly isSuspect: boolean;
}

/** A worker's process, as its journal and the faults tell: one of these for each of its streams, which rest by themselves. */
export interface WorkerView {
  /** Which process: a name that comes back is another one. */
  readonly worker: string;
  /** The consumer's name. */
  readonly name: string;
  /** Which of its streams this is about; empty: there is only one. */
  readonly stream: string;
  /** Of an earlier version: it promises nothing of what is measured here. */
  readonly isOld: boolean;
  readonly fromMs: number;
  /** Its last sign of life; `undefined`: it still runs. */
  readonly toMs: number | undefined;
  /** `closed`: it drained, and let go of what it held · `died`: it did not. */
  readonly end: "closed" | "died" | undefined;
  /** How many batches it works on at the same time. */
  readonly places: number;
  readonly calls: readonly Call[];
  /** When it could not reach the server, or was frozen: what it holds then becomes an orphan after its lease. */
  readonly cutOff: readonly Span[];
  /** When it was excused from taking anything: part of `cutOff`, starting, backing off, unfit, draining. */
  readonly excused: readonly Span[];
  /** When it owned this partition; `undefined`: nobody has to own the stream. */
  readonly owned: readonly Span[] | undefined;
  /** When it read nothing new, because too many messages waited behind others of their key. */
  readonly intakeHeld: readonly Span[];
}

/** Busy for as short a time as this, it counts as one that has had a place free throughout. */
const BRIDGE_MS = 100;

export interface Windows {
  /** A place was free at every moment, and new messages were read. */
  readonly free: readonly Span[];
  /** The same, but moments without one are passed over. Their time is in `busy`. */
  readonly nearlyFree: readonly Span[];
  readonly busy: readonly Span[];
  /** As `nearlyFree`, and nothing that is kept apart was at work. */
  readonly withoutSuspect: readonly Span[];
}

/** When the worker was healthy and had a place free. */
export function windowsOf(view: WorkerView, horizonMs: number): Windows {
  const life = { fromMs: view.fromMs, toMs: Math.min(view.toMs ?? horizonMs, horizonMs) };
  const busy = occupied(view, horizonMs);
  const healthy = healthyIn(view, view.owned ?? [life], life);
  const held = mergeSpans([...busy, ...view.intakeHeld]);
  const free = healthy.flatMap((span) => subtractSpans(span, held));
  const nearlyFree = healthy.flatMap((span) => bridged(subtractSpans(span, busy)));
  const suspects = mergeSpans(
    view.calls
      .filter((call) => call.isSuspect)
      .map(({ fromMs, toMs }) => ({ fromMs, toMs: Math.max(toMs ?? horizonMs, fromMs) })),
  );
  return { free, nearlyFree, busy, withoutSuspect: nearlyFree.flatMap((span) => subtractSpans(span, suspects)) };
}

/** When a worker was there and had no excuse, whether or not it owned a partition. */
export function healthySpans(view: WorkerView, horizonMs: number): readonly Span[] {
  const life = { fromMs: view.fromMs, toMs: Math.min(view.toMs ?? horizonMs, horizonMs) };
  return healthyIn(view, [life], life);
}

function healthyIn({ excused }: WorkerView, spans: readonly Span[], life: Span): readonly Span[] {
  const excuses = mergeSpans(excused);
  return spans.flatMap(({ fromMs, toMs }) => {
    const lived = { fromMs: Math.max(fromMs, life.fromMs), toMs: Math.min(toMs, life.toMs) };
    return lived.fromMs < lived.toMs ? subtractSpans(lived, excuses) : [];
  });
}

function bridged(spans: readonly Span[]): Span[] {
  return mergeSpans(spans, BRIDGE_MS);
}

/** When all of its places were taken. */
function occupied({ calls, places }: WorkerView, horizonMs: number): Span[] {
  const changes = calls.flatMap(({ fromMs, toMs }) => [
    { atMs: fromMs, by: 1 },
    { atMs: toMs ?? horizonMs, by: -1 },
  ]);
  changes.sort((a, b) => a.atMs - b.atMs);
  const spans: Span[] = [];
  let taken = 0;
  let sinceMs: number | undefined;
  for (const { atMs, by } of changes) {
    taken += by;
    if (taken >= places) sinceMs ??= atMs;
    else if (sinceMs !== undefined) {
      if (atMs > sinceMs) spans.push({ fromMs: sinceMs, toMs: atMs });
      sinceMs = undefined;
    }
  }
  return mergeSpans(spans);
}
