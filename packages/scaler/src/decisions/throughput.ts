/**
 * How many consumers a group needs: to keep up with arrivals at the chosen utilisation, and to clear the backlog within
 * the objective. A function of the observation, the memory, the policy, and the time; the memory is plain JSON.
 */

import type { Observation } from "../observation.ts";
import type { ScalingPolicy } from "../options.ts";
import { type ArrivalMemory, measureArrivals, NO_ARRIVALS } from "./arrival-rate.ts";
import { type Backlog, type BacklogMemory, measureBacklog, UNKNOWN_BACKLOG } from "./backlog.ts";
import { asGoodAs, bindingOfMost, type Limits, largestStep, sharedEvenly, withinBounds } from "./bounds.ts";
import {
  type Binding,
  directionOf,
  type RateSource,
  type ThroughputDecision,
  type ThroughputInputs,
  type ThroughputTerms,
} from "./decision.ts";
import {
  ALL_EFFECTIVE,
  type EffectivenessMemory,
  type Effort,
  effectiveTarget,
  judgeEffect,
  recordOrder,
} from "./effectiveness.ts";
import { explain } from "./explain.ts";
import { countOn, NO_TOTALS, type TotalsMemory } from "./group-totals.ts";
import { leadMsOf, measureLeadMs } from "./lead-time.ts";
import { holdFactor, isCoolingDown, type MovesMemory, NO_MOVES, recordMove } from "./moves.ts";
import { consumersFor, measureNeed } from "./need.ts";
import { measureProcessing, NOTHING_PROCESSED, type ProcessingMemory } from "./processing-rate.ts";
import { mostForRate } from "./rate-limit.ts";
import { scaleRate } from "./ratio.ts";
import { addSample, ratePerSecond, type Sample } from "./samples.ts";
import { measureSaturated, NOT_SATURATED, type SaturatedMemory } from "./saturated-rate.ts";
import { addNeed, holdFor, isWorthwhile, type NeedSample, stabilise, wholeConsumers } from "./stabilise.ts";

/** The memory between decisions; plain JSON. */
export interface ThroughputMemory {
  readonly v: 1;
  /** When it started to observe, or started again. */
  readonly sinceMs: number | null;
  readonly last: { readonly added: number; readonly read: number | null; readonly ready: number } | null;
  readonly arrivals: ArrivalMemory;
  readonly totals: TotalsMemory;
  readonly processing: ProcessingMemory;
  readonly saturated: SaturatedMemory;
  readonly deliveries: readonly Sample[];
  readonly backlog: BacklogMemory;
  readonly batchSize: number;
  readonly concurrency: number;
  readonly leadMs: number | null;
  /** Since when the consumers have been too busy for the arrivals. */
  readonly hotSinceMs: number | null;
  readonly idleSinceMs: number | null;
  readonly needs: readonly NeedSample[];
  readonly moves: MovesMemory;
  readonly effectiveness: EffectivenessMemory;
}

/** @param known what an earlier process has learned, if available */
export function forgetful(
  known: { readonly perSecond?: number; readonly leadMs?: number | null } = {},
): ThroughputMemory {
  return {
    v: 1,
    sinceMs: null,
    last: null,
    arrivals: NO_ARRIVALS,
    totals: NO_TOTALS,
    processing: { ...NOTHING_PROCESSED, perSecond: known.perSecond ?? 0 },
    saturated: NOT_SATURATED,
    deliveries: [],
    backlog: UNKNOWN_BACKLOG,
    batchSize: 100,
    concurrency: 1,
    leadMs: known.leadMs ?? null,
    hotSinceMs: null,
    idleSinceMs: null,
    needs: [],
    moves: NO_MOVES,
    effectiveness: ALL_EFFECTIVE,
  };
}

const KEEP_DELIVERIES_MS = 600_000;
// A backlog is urgent if it takes this share of the objective, and needs this share of a consumer.
const URGENT_SHARE = 0.1;
const URGENT_CONSUMERS = 0.25;
// This much above the target utilisation is too busy, but only if it lasts.
const TOO_BUSY_MARGIN = 0.1;
const TOO_BUSY_AT_MOST = 0.97;
const CONFIRM_MS = 15_000;
// After a start, no consumers are removed for this long.
const AFTER_START_MS = 10_000;
// Before anything is measured: add a few at a time, and only if messages are getting old.
const PROBE_AGE_SHARE = 0.25;
const PROBE_CONSUMERS = 4;
// Consumers that take longer than this many usual starts, and at least this long, are not coming.
const SHORTFALL_LEADS = 3;
const SHORTFALL_MS = 120_000;

// Work on other streams below this share of the consumers' time does not blur the effect of an order.
const NEGLIGIBLE_ELSEWHERE = 0.1;

interface Verdict {
  readonly desired: number;
  readonly binding: Binding;
}

/** Decides how many consumers the group needs, and what to remember. */
export function decideThroughput(
  observation: Observation,
  before: ThroughputMemory,
  policy: Limits<ScalingPolicy>,
  nowMs: number,
): { readonly decision: ThroughputDecision; readonly memory: ThroughputMemory } {
  const { memory, inputs } = measure(observation, before, nowMs);
  const { current } = observation;
  const { backlog } = inputs;
  let after = { ...memory, idleSinceMs: idleSince(observation, inputs, memory, nowMs) };
  let terms: ThroughputTerms | null = null;
  let verdict: Verdict;
  const isPaused = observation.pause != null;
  if (isPaused) {
    verdict = { desired: current, binding: "paused" };
  } else if (current === 0) {
    verdict = wake(observation, inputs);
  } else if (policy.minConsumers === 0 && isIdleForLong(after, policy, nowMs)) {
    verdict = { desired: 0, binding: "idle" };
    after = { ...after, idleSinceMs: null, needs: [] };
  } else if (backlog === null) {
    verdict = { desired: current, binding: "unknown" };
  } else if (inputs.perConsumerPerSecond <= 0) {
    // Without work there is nothing to measure, and no reason for more than the minimum.
    verdict = isIdleForLong(after, policy, nowMs)
      ? { desired: Math.max(1, policy.minConsumers), binding: "idle" }
      : probe(observation, backlog, policy);
  } else {
    const judged = judgeLoad(observation, inputs, backlog, after, policy, nowMs);
    ({ terms, verdict, memory: after } = judged);
  }
  if (!isPaused) {
    const most = mostForRate(observation.rateLimit, current, inputs.perConsumerPerSecond);
    if (verdict.desired > most) verdict = { desired: most, binding: "rate" };
    verdict = coolDown(bound(verdict, policy), current, after.moves, policy, nowMs);
  }

  const { desired, binding } = verdict;
  const direction = directionOf(current, desired);
  const rate = scaleRate((backlog?.waiting ?? 0) + observation.released, observation.pending);
  const { pause, rateLimit } = observation;
  const reason = explain({ current, desired, binding, inputs, terms, policy, pause, rateLimit });
  const decision: ThroughputDecision = {
    ...{ strategy: "throughput", direction, current, desired, rate, reason, binding, terms, inputs },
  };
  // What is measured while nobody may work says nothing about the time afterwards: only what consumers can do is kept.
  if (isPaused) {
    const { processing, leadMs } = before;
    return { decision, memory: forgetful({ perSecond: processing.perSecond, leadMs }) };
  }
  return { decision, memory: remember(after, observation, backlog, decision, policy, nowMs) };
}

/** Updates the memory with an observation. */
function measure(
  observation: Observation,
  before: ThroughputMemory,
  nowMs: number,
): { readonly memory: ThroughputMemory; readonly inputs: ThroughputInputs } {
  const { added, read, ready, consumers } = observation;
  const known = isOfAnotherStream(observation, before) ? startOver(before, nowMs) : before;
  const totals = countOn(known.totals, consumers, known.last === null, nowMs);
  const lastDelivered = known.deliveries.at(-1)?.count ?? 0;
  const deliveredNow =
    read !== null && known.last?.read != null
      ? read - known.last.read
      : totals.totals.delivered - known.totals.totals.delivered;
  const delivered = lastDelivered + deliveredNow;
  const deliveries = addSample(known.deliveries, { atMs: nowMs, count: delivered }, KEEP_DELIVERIES_MS);
  const batchSize =
    consumers.reduce((largest, consumer) => Math.max(largest, consumer.batchSize), 0) || known.batchSize;
  const arrived = measureArrivals(known.arrivals, added, nowMs);
  const isReporting = consumers.some(({ counters }) => counters !== null);
  // Without consumers nothing can be measured, and earlier measurements still hold.
  const processing =
    isReporting || ready > 0
      ? measureProcessing(known.processing, isReporting ? totals.totals : null, batchSize, nowMs)
      : known.processing;
  const counted = measureBacklog(known.backlog, {
    ...{ ...observation, delivered },
    reclaimable: observation.reclaimable + observation.released,
  });
  const saturated = measureSaturated(known.saturated, {
    isFull: (counted.backlog?.waiting ?? 0) > ready * batchSize && observation.startingMs.length === 0,
    isSteady: known.last?.ready === ready,
    ready,
    perSecond: ratePerSecond(deliveries, nowMs - 20_000, nowMs),
  });
  const leadMs = measureLeadMs(known.leadMs, observation.startUpsMs);
  // The output is a last resort: consumers that report will soon have reported enough.
  const resort = isReporting ? 0 : saturated.perSecond;
  // Busy time is counted per batch; a consumer that processes several batches at a time does that many times as much.
  const concurrency =
    consumers.length > 0
      ? consumers.reduce((sum, consumer) => sum + consumer.concurrency, 0) / consumers.length
      : known.concurrency;
  const perConsumerPerSecond = processing.perSecond > 0 ? processing.perSecond * concurrency : resort;
  const inputs: ThroughputInputs = {
    arrivals: arrived.arrivals,
    perConsumerPerSecond,
    rateSource: rateSourceOf(processing, saturated, isReporting),
    backlog: counted.backlog,
    pending: observation.pending,
    oldestWaitingMs: observation.oldestWaitingMs,
    ready,
    starting: observation.startingMs.length,
    lost: observation.lost,
    elsewhere: observation.elsewhere,
    leadMs: leadMsOf(leadMs),
    batchSize,
  };
  const memory: ThroughputMemory = {
    ...known,
    sinceMs: known.sinceMs ?? nowMs,
    last: { added, read, ready },
    arrivals: arrived.memory,
    totals,
    processing,
    saturated,
    deliveries,
    backlog: counted.memory,
    batchSize,
    concurrency,
    leadMs,
  };
  return { memory, inputs };
}

/** Whether the counters have decreased: stream or group were recreated, or a failover lost writes. */
function isOfAnotherStream({ added, read }: Observation, { last }: ThroughputMemory): boolean {
  if (last === null) return false;
  return added < last.added || (read !== null && last.read !== null && read < last.read);
}

/** Drops what belongs to the old stream, but keeps what is known about the consumers. */
function startOver(memory: ThroughputMemory, nowMs: number): ThroughputMemory {
  const { processing, leadMs, totals, moves, batchSize, concurrency, idleSinceMs, saturated } = memory;
  return {
    ...forgetful(),
    sinceMs: nowMs,
    ...{ leadMs, totals, moves, batchSize, concurrency, idleSinceMs, saturated },
    processing: { ...processing, samples: [], recentSinceMs: null },
  };
}

function rateSourceOf(processing: ProcessingMemory, saturated: SaturatedMemory, isReporting: boolean): RateSource {
  if (processing.perSecond > 0) return isReporting ? "busy-time" : "remembered";
  return !isReporting && saturated.perSecond > 0 ? "saturated" : "none";
}

/** Since when there has been no work, here or on other streams; `null` if there is work, or if that is uncertain. */
function idleSince(
  { pending, elsewhere }: Observation,
  { backlog, arrivals }: ThroughputInputs,
  { idleSinceMs }: ThroughputMemory,
  nowMs: number,
): number | null {
  const isIdle =
    backlog !== null &&
    !backlog.isEstimated &&
    backlog.total === 0 &&
    pending === 0 &&
    elsewhere === 0 &&
    arrivals.fastPerSecond === 0;
  return isIdle ? (idleSinceMs ?? nowMs) : null;
}

function isIdleForLong({ idleSinceMs, sinceMs }: ThroughputMemory, { idleMs }: ScalingPolicy, nowMs: number): boolean {
  return idleSinceMs !== null && nowMs - idleSinceMs >= idleMs && nowMs - (sinceMs ?? nowMs) >= idleMs;
}

/** One consumer to begin with; the next pass decides how many. */
function wake({ pending }: Observation, { backlog }: ThroughputInputs): Verdict {
  if (backlog === null) return { desired: 0, binding: "unknown" };
  return backlog.total > 0 || pending > 0 ? { desired: 1, binding: "wake" } : { desired: 0, binding: "need" };
}

/** While the throughput of a consumer is unknown. */
function probe(
  { current, oldestWaitingMs, startingMs }: Observation,
  backlog: Backlog,
  { objectiveMs }: ScalingPolicy,
): Verdict {
  const isLate = backlog.total > 0 && (oldestWaitingMs ?? 0) > objectiveMs * PROBE_AGE_SHARE;
  if (!isLate || startingMs.length > 0) return { desired: current, binding: "measuring" };
  return { desired: Math.min(current * 2, current + PROBE_CONSUMERS), binding: "measuring" };
}

/** The model itself. */
function judgeLoad(
  observation: Observation,
  inputs: ThroughputInputs,
  backlog: Backlog,
  memory: ThroughputMemory,
  policy: Limits<ScalingPolicy>,
  nowMs: number,
): { readonly terms: ThroughputTerms; readonly verdict: Verdict; readonly memory: ThroughputMemory } {
  const { current, ready, startingMs, elsewhere } = observation;
  const { arrivals, perConsumerPerSecond, leadMs } = inputs;
  // Streams take turns: where two have work, each gets half of the time at least.
  const available = asGoodAs(Math.max(ready - elsewhere, ready / 2), policy.partitions);
  const load = {
    ...{ arrivals, perConsumerPerSecond, backlog: backlog.total, ready: available, startingMs, leadMs },
    ...{ batchSize: inputs.batchSize, isPartitioned: policy.partitions !== null },
  };
  const need = measureNeed(load, policy.objectiveMs, policy.utilisation);
  const capacity = perConsumerPerSecond * Math.max(1, asGoodAs(current, policy.partitions));
  const utilisation = arrivals.outPerSecond / capacity;
  const waitMs = (need.leftover * 1_000) / capacity;

  const isTooBusy = utilisation > Math.min(TOO_BUSY_AT_MOST, need.utilisation + TOO_BUSY_MARGIN);
  const hotSinceMs = isTooBusy ? (memory.hotSinceMs ?? nowMs) : null;
  const isUrgent = waitMs > URGENT_SHARE * policy.objectiveMs && need.forBacklog > URGENT_CONSUMERS;
  const isPressed = isUrgent || (hotSinceMs !== null && nowMs - hotSinceMs >= CONFIRM_MS);

  const hold = holdFor(leadMs, holdFactor(memory.moves));
  const sample = {
    atMs: nowMs,
    forArrivals: consumersFor(arrivals.slowPerSecond, load, policy.objectiveMs, need.utilisation),
    forJump: consumersFor(arrivals.inPerSecond, load, policy.objectiveMs, need.utilisation),
    forBacklog: need.forBacklog,
    // As a scaler of those streams would count it, so that the two agree.
    forOthers: elsewhere / need.utilisation,
  };
  const needs = addNeed(memory.needs, sample, hold);
  const sinceOutMs = memory.moves.lastOutAtMs === null ? Number.POSITIVE_INFINITY : nowMs - memory.moves.lastOutAtMs;
  const isSoonAfterOut = sinceOutMs < hold.ratesMs * holdFactor(memory.moves);
  const needed = stabilise(needs, hold, isSoonAfterOut, nowMs);
  const settled = { ...needed, own: sharedEvenly(needed.own, policy.partitions) };

  const cap = memory.effectiveness.cap?.consumers ?? null;
  const own = need.forArrivals + need.forBacklog;
  const wanted = sharedEvenly(wholeConsumers(own + elsewhere), policy.partitions);
  const isForOthers = wholeConsumers(own) <= current;
  const target = effectiveTarget(memory.effectiveness, wanted, current);
  const fewest = Math.max(policy.minConsumers, Math.min(settled.own, cap ?? settled.own));
  const { forOthers } = settled;
  const isSettling = nowMs - (memory.sinceMs ?? nowMs) < hold.ratesMs || sinceOutMs < leadMs + AFTER_START_MS;
  const verdict =
    isPressed && target > current
      ? scaleOut(current, wanted, target, isShort(startingMs, leadMs))
      : scaleIn({
          current,
          wanted,
          isForOthers,
          target,
          fewest,
          forOthers,
          isEstimated: backlog.isEstimated,
          isSettling,
        });
  return {
    terms: {
      targetUtilisation: need.utilisation,
      utilisation,
      forArrivals: need.forArrivals,
      forBacklog: need.forBacklog,
      drainMs: need.drainMs,
      leftover: need.leftover,
      waitMs,
      settled: settled.own,
      effectiveConsumers: cap,
    },
    verdict,
    memory: { ...memory, hotSinceMs, needs },
  };
}

/** Whether ordered consumers do not start: ordering more would not help. */
function isShort(startingMs: readonly number[], leadMs: number): boolean {
  return startingMs.some((ageMs) => ageMs > Math.max(SHORTFALL_LEADS * leadMs, SHORTFALL_MS));
}

function scaleOut(current: number, wanted: number, target: number, isShortOfConsumers: boolean): Verdict {
  if (isShortOfConsumers) return { desired: current, binding: "shortfall" };
  const step = largestStep(current);
  if (target > step) return { desired: step, binding: "step" };
  return { desired: target, binding: target < wanted ? "ineffective" : "need" };
}

/** Removes consumers as far as the recent need allows it, and says what keeps the others. */
function scaleIn(given: {
  readonly current: number;
  readonly wanted: number;
  /** Whether the current ones would be enough without other streams. */
  readonly isForOthers: boolean;
  readonly target: number;
  readonly fewest: number;
  /** How many more other streams need. */
  readonly forOthers: number;
  readonly isEstimated: boolean;
  readonly isSettling: boolean;
}): Verdict {
  const { current, wanted, target } = given;
  const fewest = given.fewest + given.forOthers;
  const stay = (binding: Binding): Verdict => ({ desired: current, binding });
  if (fewest < current && isWorthwhile(current, fewest)) {
    if (given.isEstimated) return stay("estimated");
    if (given.isSettling) return stay("hold");
    return { desired: fewest, binding: wanted > fewest ? "ineffective" : "need" };
  }
  if (given.fewest < current && isWorthwhile(current, given.fewest)) return stay("elsewhere");
  if (wanted > current && given.isForOthers) return stay("elsewhere");
  if (wanted > current) return stay(target > current ? "confirm" : "ineffective");
  return stay(wanted < current ? "hold" : "need");
}

function bound({ desired, binding }: Verdict, policy: Limits<ScalingPolicy>): Verdict {
  const bounded = withinBounds(desired, policy);
  if (bounded === desired) return { desired, binding };
  return { desired: bounded, binding: bounded > desired ? "min" : bindingOfMost(policy) };
}

/** A move right after the last one waits, unless it leads back into the bounds. */
function coolDown(
  verdict: Verdict,
  current: number,
  moves: MovesMemory,
  policy: ScalingPolicy,
  nowMs: number,
): Verdict {
  if (withinBounds(current, policy) !== current) return verdict;
  if (!isCoolingDown(moves, directionOf(current, verdict.desired), policy, nowMs)) return verdict;
  return { desired: current, binding: "cooldown" };
}

function remember(
  memory: ThroughputMemory,
  { current, ready, startingMs, lost, elsewhere }: Observation,
  backlog: Backlog | null,
  { desired, direction, inputs }: ThroughputDecision,
  policy: ScalingPolicy,
  nowMs: number,
): ThroughputMemory {
  const isSaturated = (backlog?.total ?? 0) > Math.max(1, ready) * memory.batchSize;
  // Neither can be concluded from consumers that have other work.
  const isDisturbed = lost > 0 || elsewhere > NEGLIGIBLE_ELSEWHERE * ready;
  const isStarting = startingMs.length > 0;
  const arrivingPerSecond = inputs.arrivals.slowPerSecond;
  const { deliveries } = memory;
  const effort: Effort = { ready, isStarting, isDisturbed, isSaturated, arrivingPerSecond, deliveries };
  const judged = judgeEffect(memory.effectiveness, effort, policy.minConsumers, nowMs);
  const effectiveness = direction === "OUT" ? recordOrder(judged, effort, current, desired, nowMs) : judged;
  return { ...memory, effectiveness, moves: recordMove(memory.moves, direction, nowMs) };
}
