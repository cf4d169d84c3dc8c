/** What the witness saw of the server: when a look took long, the server was frozen for everybody, as by a slow disk. */
import type { WitnessLine } from "../journal.ts";
import { mergeSpans, type Span } from "./spans.ts";

/** A look takes a few milliseconds; this is no look any more, and no fault either, or the workers are excused anyway. */
export const SLOW_LOOK_MS = 100;

export function serverStalls(lines: readonly WitnessLine[]): readonly Span[] {
  const slow = lines.filter(({ tookMs = 0 }) => tookMs > SLOW_LOOK_MS);
  return mergeSpans(slow.map(({ t, tookMs = 0 }) => ({ fromMs: t - tookMs, toMs: t })));
}
