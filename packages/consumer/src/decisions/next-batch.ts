/**
 * Decides what the next batch contains, or what it waits for and how long. This is the only place that weighs new messages,
 * redelivered ones, suspects, and what the server may still have.
 *
 * | what is offered | goes                                                                                    |
 * |-----------------|-----------------------------------------------------------------------------------------|
 * | new             | in stream order, together with redelivered ones                                         |
 * | due             | first, but at most `retryShare` of a batch while new ones wait; takes turns where a     |
 * |                 | batch has no room for both                                                              |
 * | suspect         | alone, one at a time over all open batches, and in turns with everything else           |
 */

/** A redelivered message in memory. */
export interface DueMessage {
  /** Whether its delay is over; until then it is only offered together with new messages. */
  readonly isRipe: boolean;
  /** The largest batch it may be part of. */
  readonly largestBatch: number;
  /** Whether it is offered alone, because it may be the reason why its batches fail. */
  readonly isSuspect: boolean;
  /** The place of the message that must be in the batch before it; `NaN`: it may not be offered now. */
  readonly after?: number | undefined;
  /** Whether others of its key wait for it, and may not be in its batch. */
  readonly isBlocking?: boolean;
}

/** What may be offered, and what happened just before. */
export interface Offerable {
  readonly due: readonly DueMessage[];
  /** New messages in memory. */
  readonly fresh: number;
  /** Whether the stream may have more new messages. */
  readonly moreFresh: boolean;
  /** Whether a suspect is in an open batch. */
  readonly isSuspectOpen: boolean;
  /** Whether the last batch had no new message: then it is their turn. */
  readonly isFreshTurn: boolean;
  /** Whether the last batch was a suspect: then it is the turn of all others. */
  readonly isOthersTurn: boolean;
}

export interface Mix {
  /** Places in the list of due messages, ascending. */
  readonly due: readonly number[];
  readonly fresh: number;
  /** How many messages fill this batch. */
  readonly full: number;
}

/**
 * Decides which messages the next batch takes. Due messages come first, but take at most `retryShare` of the batch while new ones
 * wait, so that neither starves the other; without new ones they may fill it. If a small batch has no room for both, they take
 * turns. No message is in a larger batch than it may be part of.
 */
export function decideMix(offerable: Offerable, batchSize: number, retryShare: number): Mix {
  const { due, fresh, moreFresh, isFreshTurn } = offerable;
  const maySuspect = mayOfferSuspect(offerable);
  const isWaitedFor = fresh > 0 || moreFresh;
  const taken: number[] = [];
  let full = batchSize;

  /** Takes what fits beside `company` other messages, up to `share` of the batch. */
  const takeWhatFits = (company: number, share: number): void => {
    for (const [place, { isRipe, largestBatch, isSuspect, after }] of due.entries()) {
      if (isSuspect && !maySuspect) continue;
      if (after !== undefined && !taken.includes(after)) continue;
      // Messages that were just returned do not form a batch by themselves: that would be a hot loop.
      if ((!isRipe && fresh === 0) || taken.includes(place)) continue;
      const size = Math.min(full, isSuspect ? 1 : largestBatch);
      // A message that was just returned needs a new one beside it, and on their turn new ones are sure of a place.
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

/** Whether a suspect may be in the next batch: none is open, and it is not the turn of others. */
function mayOfferSuspect({ due, fresh, isSuspectOpen, isOthersTurn }: Offerable): boolean {
  if (isSuspectOpen) return false;
  return !isOthersTurn || (fresh === 0 && !due.some(({ isRipe, isSuspect }) => isRipe && !isSuspect));
}

/** A question to the server. `wanted`: it should be asked first · `asked`: the answer is on its way. */
export interface Ask {
  readonly state: "none" | "wanted" | "asked";
  /** Until when to wait for the answer, by the local clock. */
  readonly untilMs: number;
}

export const NOT_ASKED: Ask = { state: "none", untilMs: 0 };

/** What the server may have for this batch. */
export interface Askable {
  /** Released messages. */
  readonly released: Ask;
  /** Payloads of messages that were returned, and are due. */
  readonly due: Ask;
  /** The payload of the suspect that is first in line. */
  readonly suspect: Ask;
}

/** A caller that waits for a batch. */
export interface Caller {
  /** When its wait began; its batch may be empty. `null`: the wait begins with the first message. */
  readonly calledAtMs: number | null;
  /** The state of the look at the stream after the call. */
  readonly look: "none" | "asked" | "answered" | "failed";
  /** Until when to wait for the answer to that look. */
  readonly lookUntilMs: number;
}

export interface BatchPolicy {
  readonly batchSize: number;
  readonly maxBytes: number;
  readonly maxWaitMs: number;
  readonly retryShare: number;
}

/** Facts about the messages of a mix. */
export interface MixFacts {
  readonly bytes: number;
  /** When the first of them arrived; infinite if there is none. */
  readonly firstArrivedAtMs: number;
}

export type NextBatch =
  | { readonly kind: "offer"; readonly mix: Mix; readonly reason: "entries" | "bytes" | "wait" }
  /** The call's time is up, and there are no messages: the server was asked, or may not be asked now. */
  | { readonly kind: "empty" }
  /** The call's time is up, and the server could not be asked. */
  | { readonly kind: "refuse" }
  | { readonly kind: "ask"; readonly what: "released" | "due" | "suspect" | "look" }
  /** Decide again then, or when something changes. `null`: only when something changes. */
  | { readonly kind: "wait"; readonly untilMs: number | null };

/** Whether anything may be offered at all. */
export interface Gate {
  /** The consumer is paused, so there is no reason to wait for the server. */
  readonly isPaused: boolean;
  /** There is no connection to ask the server. */
  readonly isCutOff?: boolean;
  /** How many messages a batch may have now; 0: none, because leases are in doubt or the next attempt has to wait. */
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

  // Released messages have waited longest, and returned ones belong in the next batch: both are a round trip away.
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
  // Places are kept for new messages, or it is their turn, and it is not known yet whether more will come.
  const isTurnKept = offerable.isFreshTurn && mix.fresh === 0;
  // If `maxBytes` is reached there is no room for them, and none are read.
  const { bytes, firstArrivedAtMs } = factsOf(mix);
  const isFullOfBytes = bytes >= policy.maxBytes;
  const areSharesKept = entries < mix.full && !isFullOfBytes && mix.due.length < countRipe(offerable);
  const isGuessed = offerable.moreFresh && (isTurnKept || areSharesKept);
  if (isGuessed && caller.look === "none" && nowMs < caller.lookUntilMs) return { kind: "ask", what: "look" };
  if (isGuessed && caller.look === "asked" && nowMs < caller.lookUntilMs) return waitUntil(caller.lookUntilMs);
  if (entries >= mix.full) return { kind: "offer", mix, reason: "entries" };
  if (isFullOfBytes) return { kind: "offer", mix, reason: "bytes" };
  // A batch that others wait for does not wait itself.
  if (mix.due.some((place) => offerable.due[place]?.isBlocking)) return { kind: "offer", mix, reason: "wait" };
  const untilMs = isCall ? deadlineMs : firstArrivedAtMs + policy.maxWaitMs;
  return untilMs <= nowMs ? { kind: "offer", mix, reason: "wait" } : waitUntil(untilMs);
}

/** What to do if there are no messages: an empty batch is only an answer after the server was asked. */
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
