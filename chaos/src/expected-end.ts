/** Where a message may be in the end, by its intent and by what the handlers did. */
import type { Offer } from "./duplicate.ts";
import type { Intent } from "./intent.ts";

/** Acknowledged, or in the dead letters for this reason. */
export type ExpectedEnd = "acknowledged" | "rejected" | "maxDeliveries" | "hung" | "blocks-key";

/** Workers that do not follow the messages' intents. */
export interface UnlikeWorkers {
  /** They must survive the round, so they throw where they should hang. */
  readonly lasting: ReadonlySet<string>;
  /** They are of an earlier version, and acknowledge unknown intents. */
  readonly old: ReadonlySet<string>;
}

/** Intents that an earlier version may not know. */
const NEW_INTENTS: ReadonlySet<Intent> = new Set(["hang", "holdOnce", "deferredLong"]);
/** The second time that a message has been held too long it is dead-lettered. */
const MOST_HANGS = 2;
/** From then on a message may be given up for those that wait behind others: by the first failure where its key had one given up. */
const LEAST_FAILURES = 1;
/** A consumer's own time begins a little before the handler's. */
const EARLY_MS = 100;

/** @param ownFailures how often it failed by itself, where it must be worked on in order */
export function expectedEnds(
  intent: Intent,
  offers: readonly Offer[],
  { lasting, old }: UnlikeWorkers,
  maxHoldMs: number,
  ownFailures = 0,
): readonly ExpectedEnd[] {
  const ends: ExpectedEnd[] = [plannedEnd(intent)];
  // It may also hang because of a fault, or because of others in its batch.
  if (offers.filter((offer) => isHang(offer, maxHoldMs)).length >= MOST_HANGS) ends.push("hung");
  if (intent === "hang" && offers.some(({ worker }) => lasting.has(worker))) ends.push("maxDeliveries");
  if (NEW_INTENTS.has(intent) && offers.some(({ worker }) => old.has(worker))) ends.push("acknowledged");
  if (ownFailures >= LEAST_FAILURES) ends.push("blocks-key");
  return [...new Set(ends)];
}

function plannedEnd(intent: Intent): ExpectedEnd {
  switch (intent) {
    case "reject":
      return "rejected";
    case "poison":
    case "killAlways":
      return "maxDeliveries";
    // The second time it hangs.
    case "hang":
      return "hung";
    default:
      return "acknowledged";
  }
}

/** Whether the handler had the message for longer than it may be held. */
export function isHang({ atMs, worked, endedAtMs }: Offer, maxHoldMs: number): boolean {
  const untilMs = worked?.atMs ?? endedAtMs ?? Number.POSITIVE_INFINITY;
  return untilMs - atMs >= maxHoldMs - EARLY_MS;
}
