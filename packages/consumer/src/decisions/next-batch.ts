/**
 * The next batch, or for what and until when it waits. Everything that may be offered is weighed here and nowhere else:
 * new messages, those that come again, suspects, and what the server may still have.
 *
 * | what is offered | goes                                                                                    |
 * |-----------------|-----------------------------------------------------------------------------------------|
 * | new             | in stream order, beside what comes again                                                |
 * | due             | first, but at most `retryShare` of a batch while new ones wait; takes turns where a     |
 * |                 | batch has no room for both                                                              |
 * | suspect         | alone, one at a time over all open batches, and in turns with everything else           |
 */

/** A message that comes again, in memory, in the order in which such messages go. */
export interface DueMessage {
  /** Whether its waiting time is over; until then it may only accompany new messages. */
  readonly isRipe: boolean;
  /** The largest batch it may be part of. */
  readonly largestBatch: number;
  /** Whether it is kept apart, because it may be what breaks the batches it is in. */
  readonly isSuspect: boolean;
}

/** What may be offered, and what happened just before. */
export interface Offerable {
  readonly due: readonly DueMessage[];
  /** New messages in memory. */
  readonly fresh: number;
  /** Whether the server has, or may have, new messages that are being read. */
  readonly moreFresh: boolean;
  /** Whether a suspect is in somebody's hands. */
  readonly isSuspectOpen: boolean;
  /** Whether the batch before had no new message: then it is their turn. */
  readonly isFreshTurn: boolean;
  /** Whether the batch before was a suspect: then it is everybody else's turn. */
  readonly isOthersTurn: boolean;
}

export interface Mix {
  /** Places in the list of due messages, ascending. */
  readonly due: readonly number[];
  readonly fresh: number;
  /** How many messages make this batch full. */
  readonly full: number;
}

/**
 * Says what the next batch takes. Due messages go first, but take at most `retryShare` of the batch while new ones wait,
 * so that neither starves the other; without new ones they may fill it. Where a batch has no room for both, because it
 * is or must be small, they take turns. No message shares a batch larger than it may be part of.
 */
export function decideMix(offerable: Offerable, batchSize: number, retryShare: number): Mix {
  const { due, fresh, moreFresh, isFreshTurn } = offerable;
  const maySuspect = mayOfferSuspect(offerable);
  const isWaitedFor = fresh > 0 || moreFresh;
  const taken: number[] = [];
  let full = batchSize;

  /** Takes what fits beside `company` other messages, up to `share` of the batch. */
  const takeWhatFits = (company: number, share: number): void => {
    for (const [place, { isRipe, largestBatch, isSuspect }] of due.entries()) {
      if (isSuspect && !maySuspect) continue;
      // What was just returned does not make a batch by itself: that would be a hot loop.
      if ((!isRipe && fresh === 0) || taken.includes(place)) continue;
      const size = Math.min(full, isSuspect ? 1 : largestBatch);
      // What was just returned goes beside a new message only, and in their turn they have a place in any case.
      const kept = fresh > 0 && company === 0 && (isFreshTurn || !isRipe) ? 1 : 0;
      if (taken.length + company + kept + 1 > size) continue;
      if (taken.length + 1 > Math.max(1, Math.floor(size * share))) break;
      taken.push(place);
      full = size;
    }
  };

  if (due.length > 0) takeWhatFits(0, isWaitedFor ? retryShare : 1);
  const freshTaken = Math.min(fresh, full - taken.length);
  if (due.length > 0 && !moreFresh && taken.length + freshTaken < full) takeWhatFits(freshTaken, 1);
  return { due: taken.toSorted((left, right) => left - right), fresh: freshTaken, full };
}

/** Whether a suspect may be in the next batch: none is open, and others that could go had their turn. */
function mayOfferSuspect({ due, fresh, isSuspectOpen, isOthersTurn }: Offerable): boolean {
  if (isSuspectOpen) return false;
  return !isOthersTurn || (fresh === 0 && !due.some(({ isRipe, isSuspect }) => isRipe && !isSuspect));
}

/** What is asked of the server. `wanted`: the answer should be had first · `asked`: it is on its way. */
export interface Ask {
  readonly state: "none" | "wanted" | "asked";
  /** How long the answer is waited for at most, by the local clock. */
  readonly untilMs: number;
}

export const NOT_ASKED: Ask = { state: "none", untilMs: 0 };

/** What the server may have for this batch that is not in memory. */
export interface Askable {
  /** Messages that nobody holds. */
  readonly released: Ask;
  /** Payloads of messages that were returned, and are due. */
  readonly due: Ask;
  /** The payload of the suspect that is first in line. */
  readonly suspect: Ask;
}

/** Whoever waits for a batch. */
export interface Caller {
  /** When its wait began, if it counts from a call; then its batch may be empty. `null`: from the first message. */
  readonly calledAtMs: number | null;
  /** What came of the look at the server that was made after the call. */
  readonly look: "none" | "asked" | "answered" | "failed";
  /** How long the answer to that look is waited for at most, once it is asked for. */
  readonly lookUntilMs: number;
}

export interface BatchPolicy {
  readonly batchSize: number;
  readonly maxBytes: number;
  readonly maxWaitMs: number;
  readonly retryShare: number;
}

/** Of the messages that the mix names. */
export interface MixFacts {
  readonly bytes: number;
  /** When the first of them arrived; infinite when there is none. */
  readonly firstArrivedAtMs: number;
}

export type NextBatch =
  | { readonly kind: "offer"; readonly mix: Mix; readonly reason: "entries" | "bytes" | "wait" }
  /** The time of a call is up, and there is nothing: the server was asked, or may not be asked now. */
  | { readonly kind: "empty" }
  /** The time of a call is up, and the server could not be asked. */
  | { readonly kind: "refuse" }
  | { readonly kind: "ask"; readonly what: "released" | "due" | "suspect" | "look" }
  /** Decide again then, or when something changes. `null`: only when something changes. */
  | { readonly kind: "wait"; readonly untilMs: number | null };

/** Whether anything may be offered at all. */
export interface Gate {
  /** Somebody has paused the consumer, which is no reason to wait for the server. */
  readonly isPaused: boolean;
  /** There is no connection by which the server could be asked. */
  readonly isCutOff?: boolean;
  /** How many messages a batch may have now; 0: none, because it is in doubt whose they are, or an attempt has to wait. */
  readonly limit: number;
}

/**
 * Decides for the caller that is first in line.
 *
 * @param factsOf looks at the messages that a mix names
 */
export function decideNextBatch(
  { offerable, askable, gate }: { readonly offerable: Offerable; readonly askable: Askable; readonly gate: Gate },
  caller: Caller,
  policy: BatchPolicy,
  nowMs: number,
  factsOf: (mix: Mix) => MixFacts,
): NextBatch {
  const isCall = caller.calledAtMs !== null;
  const deadlineMs = isCall ? caller.calledAtMs + policy.maxWaitMs : Number.POSITIVE_INFINITY;
  if (gate.isPaused) return nowMs < deadlineMs ? waitUntil(finite(deadlineMs)) : { kind: "empty" };
  if (gate.limit === 0) {
    if (nowMs < deadlineMs) return waitUntil(finite(deadlineMs));
    return nowMs < caller.lookUntilMs && gate.isCutOff !== true ? waitUntil(caller.lookUntilMs) : { kind: "refuse" };
  }

  // What nobody holds has waited longest, and what was returned is part of the next batch: both are a round trip away.
  if (askable.released.state === "wanted") return { kind: "ask", what: "released" };
  if (isAwaited(askable.released, nowMs)) return waitUntil(askable.released.untilMs);
  if (askable.due.state === "wanted") return { kind: "ask", what: "due" };
  if (isAwaited(askable.due, nowMs)) return waitUntil(askable.due.untilMs);
  if (!offerable.isSuspectOpen && mayOfferSuspect(offerable)) {
    if (askable.suspect.state === "wanted") return { kind: "ask", what: "suspect" };
    if (isAwaited(askable.suspect, nowMs)) return waitUntil(askable.suspect.untilMs);
  }

  const mix = decideMix(offerable, Math.min(gate.limit, policy.batchSize), policy.retryShare);
  const entries = mix.due.length + mix.fresh;
  if (entries === 0) return nothingNow(caller, deadlineMs, gate.isCutOff === true, nowMs);
  // Places are kept for new messages, or it is their turn, and nobody knows yet whether more of them come.
  const isTurnKept = offerable.isFreshTurn && mix.fresh === 0;
  // Where the bytes are full there is no room for them anyway, and none is read.
  const { bytes, firstArrivedAtMs } = factsOf(mix);
  const isFullOfBytes = bytes >= policy.maxBytes;
  const areSharesKept = entries < mix.full && !isFullOfBytes && mix.due.length < countRipe(offerable);
  const isGuessed = offerable.moreFresh && (isTurnKept || areSharesKept);
  if (isGuessed && caller.look === "none" && nowMs < caller.lookUntilMs) return { kind: "ask", what: "look" };
  if (isGuessed && caller.look === "asked" && nowMs < caller.lookUntilMs) return waitUntil(caller.lookUntilMs);
  if (entries >= mix.full) return { kind: "offer", mix, reason: "entries" };
  if (isFullOfBytes) return { kind: "offer", mix, reason: "bytes" };
  const untilMs = isCall ? deadlineMs : firstArrivedAtMs + policy.maxWaitMs;
  return untilMs <= nowMs ? { kind: "offer", mix, reason: "wait" } : waitUntil(untilMs);
}

/** What is said where there is nothing: an empty batch is an answer only after the server was asked. */
function nothingNow(caller: Caller, deadlineMs: number, isCutOff: boolean, nowMs: number): NextBatch {
  if (nowMs < deadlineMs) return waitUntil(finite(deadlineMs));
  if (caller.look === "answered") return { kind: "empty" };
  if (caller.look === "failed" || isCutOff) return { kind: "refuse" };
  if (caller.look === "none") return { kind: "ask", what: "look" };
  return nowMs < caller.lookUntilMs ? waitUntil(caller.lookUntilMs) : { kind: "refuse" };
}

const countRipe = ({ due }: Offerable): number => due.filter(({ isRipe, isSuspect }) => isRipe && !isSuspect).length;

const isAwaited = ({ state, untilMs }: Ask, nowMs: number): boolean => state === "asked" && nowMs < untilMs;

const finite = (atMs: number): number | null => (atMs === Number.POSITIVE_INFINITY ? null : atMs);

const waitUntil = (untilMs: number | null): NextBatch => ({ kind: "wait", untilMs });
