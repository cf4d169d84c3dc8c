/** The reason of a decision, as a sentence for the operator of the group. */

import type { GroupPause } from "@redis-batch/core";
import { describePause } from "@redis-batch/core/internal/groups";
import type { ScalingPolicy } from "../options.ts";
import type { Limits } from "./bounds.ts";
import type { Binding, ThroughputInputs, ThroughputTerms } from "./decision.ts";
import { type ObservedRate, whyRate } from "./rate-limit.ts";

/** Why there can be only one consumer. */
export const WHY_ALONE = "its consumer keeps messages in order for the whole group (orderBy), so there can be only one";

/** Why there can be no more consumers than partitions. */
export const whyPartitions = (partitions: number): string =>
  `the stream has ${partitions} partition${partitions === 1 ? "" : "s"}, each with one owner, so more consumers have nothing to do`;

interface Explained {
  readonly current: number;
  readonly desired: number;
  readonly binding: Binding;
  readonly inputs: ThroughputInputs;
  readonly terms: ThroughputTerms | null;
  readonly policy: Limits<ScalingPolicy>;
  readonly pause: GroupPause | null | undefined;
  readonly rateLimit: ObservedRate | null | undefined;
}

export function explain(explained: Explained): string {
  const load = explained.terms === null ? null : sum(explained.inputs, explained.terms);
  const because = limit(explained);
  return load === null ? because : `${load}; ${because}`;
}

/** The arrivals and the backlog, in consumers. */
function sum(inputs: ThroughputInputs, terms: ThroughputTerms): string {
  const { arrivals, perConsumerPerSecond, elsewhere } = inputs;
  const { forArrivals, forBacklog, targetUtilisation, leftover, drainMs } = terms;
  const byRate = arrivals.outPerSecond / (perConsumerPerSecond * targetUtilisation);
  // A larger number leaves some of them free, because their batches take long.
  const why =
    forArrivals > byRate + 0.05 ? "so that one is free in time" : `at ${Math.round(targetUtilisation * 100)} %`;
  const rate = `${decimal(arrivals.outPerSecond)}/s at ${decimal(perConsumerPerSecond)}/s each needs ${decimal(forArrivals)} ${why}`;
  const others = elsewhere < 0.05 ? "" : `, other streams take ${decimal(elsewhere)}`;
  if (forBacklog < 0.05) return `${rate}, no backlog will be left${others}`;
  return `${rate}, a backlog of ${count(leftover)} after a start needs ${decimal(forBacklog)} more to clear within ${seconds(drainMs)}${others}`;
}

/** The deciding factor. */
function limit({ current, desired, binding, inputs, terms, policy, pause, rateLimit }: Explained): string {
  const move = desired === current ? `stay at ${current}` : `go from ${current} to ${desired}`;
  switch (binding) {
    case "need":
      return policy.partitions === null || desired === current
        ? move
        : `${move}, so that none owns too many of ${policy.partitions} partitions`;
    case "rule":
      return move;
    case "max":
      return `${move}, the allowed maximum (maxConsumers ${policy.maxConsumers})`;
    case "order":
      return `${move}: ${WHY_ALONE}`;
    case "partitions":
      return `${move}: ${whyPartitions(policy.maxConsumers)}`;
    case "rate":
      return `${move}: ${whyRate(rateLimit)}`;
    case "elsewhere":
      return `${move}, because other streams keep its consumers busy`;
    case "min":
      return `${move}, the allowed minimum (minConsumers ${policy.minConsumers})`;
    case "step":
      return `${move}, the limit of one step`;
    case "confirm":
      return `${move} until the load has lasted a little longer`;
    case "hold":
      return desired === current && terms !== null && terms.settled < current
        ? `${move}, because fewer would save too little, or the last move must show its effect first`
        : `${move}, because up to ${terms?.settled ?? current} were needed a short time ago`;
    case "cooldown":
      return `${move}, because the cooldown of the last move is not over`;
    case "estimated":
      return `${move}: the backlog is only an estimate, so no consumer is removed`;
    case "ineffective":
      return `${move}: more than ${terms?.effectiveConsumers ?? current} did not help, so something downstream is the bottleneck`;
    case "shortfall":
      return `${move}: ordered consumers do not start, so ordering more would not help`;
    case "measuring":
      return `the throughput of a consumer is not known yet; ${move}`;
    case "idle":
      return `there has been no work for ${seconds(policy.idleMs)} or more; ${move}`;
    case "wake":
      return `${count(inputs.backlog?.total ?? 0)} waiting, ${count(inputs.pending)} pending, but no consumers; ${move}`;
    case "paused":
      return `the group is ${pause == null ? "paused" : describePause(pause)}; ${move}`;
    case "unknown":
      return `the number of waiting messages is unknown; ${move}`;
  }
}

function decimal(value: number): string {
  return value >= 100 ? count(value) : value.toFixed(1);
}

function count(value: number): string {
  return Math.round(value).toString();
}

function seconds(ms: number): string {
  return `${ms >= 10_000 ? Math.round(ms / 1_000) : (ms / 1_000).toFixed(1)} s`;
}
