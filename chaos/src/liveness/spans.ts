/** Arithmetic of spans of time. */

/** From a moment (included) to a moment (not included), on the clock of the journals. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** The same time in spans that neither overlap nor touch, in order; gaps of up to `bridgeMs` are closed. */
export function mergeSpans(spans: readonly Span[], bridgeMs = 0): Span[] {
  const merged: Span[] = [];
  for (const { fromMs, toMs } of spans.toSorted((a, b) => a.fromMs - b.fromMs)) {
    const last = merged.at(-1);
    if (last === undefined || fromMs > last.toMs + bridgeMs) merged.push({ fromMs, toMs });
    else merged[merged.length - 1] = { fromMs: last.fromMs, toMs: Math.max(last.toMs, toMs) };
  }
  return merged;
}

/** What is left of a span when others are taken out of it; these neither overlap each other nor are out of order. */
export function subtractSpans(whole: Span, taken: readonly Span[]): Span[] {
  const left: Span[] = [];
  let fromMs = whole.fromMs;
  for (let index = firstEndingAfter(taken, fromMs); index < taken.length; index++) {
    const { fromMs: takenFromMs, toMs: takenToMs } = taken[index] as Span;
    if (takenFromMs >= whole.toMs) break;
    if (takenFromMs > fromMs) left.push({ fromMs, toMs: takenFromMs });
    fromMs = takenToMs;
  }
  if (fromMs < whole.toMs) left.push({ fromMs, toMs: whole.toMs });
  return left;
}

/** How much of a span the others cover; these neither overlap each other nor are out of order. */
export function coveredMs(span: Span, others: readonly Span[]): number {
  let sumMs = 0;
  for (let index = firstEndingAfter(others, span.fromMs); index < others.length; index++) {
    const { fromMs, toMs } = others[index] as Span;
    if (fromMs >= span.toMs) break;
    sumMs += Math.min(toMs, span.toMs) - Math.max(fromMs, span.fromMs);
  }
  return sumMs;
}

/** The index of the first span that ends after a moment; spans are in order and do not overlap. */
export function firstEndingAfter(spans: readonly Span[], atMs: number): number {
  let low = 0;
  let high = spans.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((spans[middle] as Span).toMs > atMs) high = middle;
    else low = middle + 1;
  }
  return low;
}
