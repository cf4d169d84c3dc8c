/** The door to the decisions: one function for both strategies. */

import { describePause } from "@redis-batch/core/internal/groups";
import type { Observation } from "../observation.ts";
import type { ScalingPolicy } from "../options.ts";
import { bindingOfMost, type Limits, limitsOf, withinBounds } from "./bounds.ts";
import { type Binding, type Decision, directionOf, type RatioDecision } from "./decision.ts";
import { WHY_ALONE, whyPartitions } from "./explain.ts";
import { isCoolingDown, type MovesMemory, NO_MOVES, recordMove } from "./moves.ts";
import { mostForRate, whyRate } from "./rate-limit.ts";
import { decideRatio, scaleRate } from "./ratio.ts";
import { wholeConsumers } from "./stabilise.ts";
import { decideThroughput, forgetful, type ThroughputMemory } from "./throughput.ts";

/** What is carried from one decision to the next; plain JSON. */
export type ScalerMemory = (
  | { readonly strategy: "ratio"; readonly moves: MovesMemory }
  | { readonly strategy: "throughput"; readonly throughput: ThroughputMemory }
) & {
  /** Whether the last registered consumers said that there can be only one. */
  readonly isAlone: boolean;
};

/**
 * The memory of a scaler before its first observation.
 *
 * @param before the memory of an earlier scaler, from which only what is known about the consumers is kept.
 *   Default: none.
 */
export function emptyMemory(strategy: ScalingPolicy["strategy"], before?: ScalerMemory): ScalerMemory {
  const isAlone = before?.isAlone ?? false;
  if (strategy === "ratio") return { strategy, moves: NO_MOVES, isAlone };
  if (before?.strategy !== "throughput") return { strategy, throughput: forgetful(), isAlone };
  const { processing, leadMs } = before.throughput;
  return { strategy, throughput: forgetful({ perSecond: processing.perSecond, leadMs }), isAlone };
}

/** Decides how many consumers the group needs, and what to remember for the next decision. */
export function decide(
  observation: Observation,
  memory: ScalerMemory,
  policy: ScalingPolicy,
  nowMs: number,
): { readonly decision: Decision; readonly memory: ScalerMemory } {
  const isAlone = observation.isAlone ?? memory.isAlone;
  const limits = limitsOf(policy, { isAlone, partitions: observation.partitions });
  if (policy.strategy === "ratio") {
    const moves = memory.strategy === "ratio" ? memory.moves : NO_MOVES;
    const decision = decideByRatio(observation, moves, limits, nowMs);
    return { decision, memory: { strategy: "ratio", moves: recordMove(moves, decision.direction, nowMs), isAlone } };
  }
  const known = memory.strategy === "throughput" ? memory.throughput : forgetful();
  const { decision, memory: throughput } = decideThroughput(observation, known, limits, nowMs);
  return { decision, memory: { strategy: "throughput", throughput, isAlone } };
}

/** The ratio rule, with bounds and cooldowns, which have no effect unless they are set. */
function decideByRatio(
  { waiting: unread, released, pending, current, elsewhere, pause, rateLimit }: Observation,
  moves: MovesMemory,
  policy: Limits<ScalingPolicy>,
  nowMs: number,
): RatioDecision {
  const { scaleOutRate, scaleInRate } = policy;
  const waiting = unread === null ? null : unread + released;
  const rate = scaleRate(waiting ?? 0, pending);
  const inputs = { waiting, pending, consumers: current, elsewhere };
  const finish = (desired: number, binding: Binding, why: string): RatioDecision => {
    const move = desired === current ? `stay at ${current}` : `go from ${current} to ${desired}`;
    const direction = directionOf(current, desired);
    const reason = `${why}; ${move}`;
    return {
      ...{ strategy: "ratio", direction, current, desired, rate, reason, binding },
      terms: { scaleOutRate, scaleInRate },
      inputs,
    };
  };
  if (pause != null) return finish(current, "paused", `the group is ${describePause(pause)}`);
  if (waiting === null)
    return finish(withinBounds(current, policy), "unknown", "the number of waiting messages is unknown");
  const asked = decideRatio(rate, waiting, current, policy);
  const why = sentence(rate, waiting, pending, policy);
  const desired = withinBounds(current + { OUT: 1, IN: -1, NO_SCALE: 0 }[asked], policy);
  const isWithin = withinBounds(current, policy) === current;
  if (isWithin && desired < current && desired < wholeConsumers(elsewhere)) {
    return finish(current, "elsewhere", `${why}, but other streams keep ${elsewhere.toFixed(1)} consumers busy`);
  }
  if (isWithin && desired > mostForRate(rateLimit, current, 0)) {
    return finish(current, "rate", `${why}, but ${whyRate(rateLimit)}`);
  }
  if (isWithin && isCoolingDown(moves, directionOf(current, desired), policy, nowMs)) {
    return finish(current, "cooldown", `${why}, but the cooldown of the last move is not over`);
  }
  if (isWithin && (asked === "NO_SCALE" || desired !== current)) return finish(desired, "rule", why);
  if (desired < policy.maxConsumers) return finish(desired, "min", `${why}, within the bounds`);
  const binding = bindingOfMost(policy);
  const whys = {
    order: `but ${WHY_ALONE}`,
    partitions: `but ${whyPartitions(policy.maxConsumers)}`,
    max: "within the bounds",
  };
  return finish(desired, binding, `${why}, ${whys[binding]}`);
}

function sentence(rate: number, waiting: number, pending: number, policy: ScalingPolicy): string {
  const counts = `${waiting} waiting and ${pending} pending`;
  if (rate === 0)
    return waiting === 0 ? `${counts}: there are no messages` : `${counts}: messages wait, but none is being processed`;
  const { scaleOutRate, scaleInRate } = policy;
  if (rate < scaleInRate) return `${counts} is a rate of ${rate}, below ${scaleInRate}`;
  if (rate >= scaleOutRate) return `${counts} is a rate of ${rate}, not below ${scaleOutRate}`;
  return `${counts} is a rate of ${rate}, between ${scaleInRate} and ${scaleOutRate}`;
}
