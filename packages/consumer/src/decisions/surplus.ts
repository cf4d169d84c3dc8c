/** Which messages a consumer cannot work on soon, and therefore releases. */

export interface Load {
  readonly isDraining: boolean;
  readonly isPaused: boolean;
  /** Whether all messages fail, and the next attempt has to wait. */
  readonly isBackingOff: boolean;
  /** Handlers that have been at work beyond `maxHoldMs`. */
  readonly handlersHung: number;
  /** How many handlers may be at work at the same time. */
  readonly places: number;
  /** How many of them are free. */
  readonly freePlaces: number;
  /** How long the oldest message that could be offered has waited, in milliseconds; `null` if there is none. */
  readonly oldestOfferableMs: number | null;
}

export type Surplus =
  | { readonly kind: "nothing" }
  | {
      /** `all` messages · those that have `waited` too long. */
      readonly kind: "all" | "waited";
      readonly why: "draining" | "held-too-long" | "paused" | "backing-off" | "read-ahead";
      /** Who must be there, so that a release helps. */
      readonly for: "nobody" | "another consumer" | "a free place";
    };

/**
 * Decides what is released. A consumer that cannot work at all releases everything. One without a free place releases messages
 * that have waited for longer than `patienceMs`, as soon as another consumer has a free place.
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

/** How long a message may wait in memory for a place: as long as a batch may wait, and at least a second. */
export const patienceOf = (maxWaitMs: number): number => Math.max(maxWaitMs, 1_000);
