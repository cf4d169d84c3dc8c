/** What a consumer holds that it cannot work on soon, and so does not keep. */

export interface Load {
  readonly isDraining: boolean;
  readonly isPaused: boolean;
  /** Whether everything fails, and the next attempt has to wait. */
  readonly isBackingOff: boolean;
  /** Handlers that have been at work beyond `maxHoldMs`. */
  readonly handlersHung: number;
  /** How many handlers may be at work at the same time. */
  readonly places: number;
  /** How many of them are free. */
  readonly freePlaces: number;
  /** How long the oldest message that could be offered has waited, in milliseconds; `null` when none does. */
  readonly oldestOfferableMs: number | null;
}

export type Surplus =
  | { readonly kind: "nothing" }
  | {
      /** `all` of it · what has `waited` too long. */
      readonly kind: "all" | "waited";
      readonly why: "draining" | "held-too-long" | "paused" | "backing-off" | "read-ahead";
      /** Who must be there, so that letting go helps. */
      readonly for: "nobody" | "another consumer" | "a free place";
    };

/**
 * Says what is released. A consumer that cannot work at all releases everything; one that has no place free releases
 * what has waited for longer than `patienceMs`, as soon as somebody else has one.
 */
export function decideSurplus(load: Load, patienceMs: number): Surplus {
  if (load.isDraining) return { kind: "all", why: "draining", for: "nobody" };
  if (load.handlersHung >= load.places) return { kind: "all", why: "held-too-long", for: "nobody" };
  if (load.isPaused) return { kind: "all", why: "paused", for: "another consumer" };
  if (load.isBackingOff) return { kind: "all", why: "backing-off", for: "another consumer" };
  const isLate = load.oldestOfferableMs !== null && load.oldestOfferableMs > patienceMs;
  if (isLate && load.freePlaces === 0) return { kind: "waited", why: "read-ahead", for: "a free place" };
  return { kind: "nothing" };
}

/** How long a message may wait in memory for a place: a batch's own wait, and a second at least. */
export const patienceOf = (maxWaitMs: number): number => Math.max(maxWaitMs, 1_000);
