/** The reason of a decision, as a sentence for whoever operates the group. */

import type { ScalingPolicy } from "../options.ts";
import type { Binding, ThroughputInputs, ThroughputTerms } from "./decision.ts";

interface Explained {
  readonly current: number;
  readonly desired: number;
  readonly binding: Binding;
  readonly inputs: ThroughputInputs;
  readonly terms: ThroughputTerms | null;
  readonly policy: ScalingPolicy;
}

export function explain(explained: Explained): string {
  const load = explained.terms === null ? null : sum(explained.inputs, explained.terms);
  const because = limit(explained);
  return load === null ? because : `${load}; ${because}`;
}

/** What arrives and what waits, in consumers. */
function sum({ arrivals, perConsumerPerSecond }: ThroughputInputs, terms: ThroughputTerms): string {
  const { forArrivals, forBacklog, targetUtilisation, leftover, drainMs } = terms;
  const rate = `${decimal(arrivals.outPerSecond)}/s at ${decimal(perConsumerPerSecond)}/s each needs ${decimal(forArrivals)} at ${Math.round(targetUtilisation * 100)} %`;
  if (forBacklog < 0.05) return `${rate}, nothing will be left waiting`;
  return `${rate}, ${count(leftover)} left waiting after a start need ${decimal(forBacklog)} more within ${seconds(drainMs)}`;
}

/** What had the last word. */
function limit({ current, desired, binding, inputs, terms, policy }: Explained): string {
  const move = desired === current ? `stay at ${current}` : `go from ${current} to ${desired}`;
  switch (binding) {
    case "need":
    case "rule":
      return move;
    case "max":
      return `${move}, which is all that is allowed (maxConsumers ${policy.maxConsumers})`;
    case "min":
      return `${move}, the fewest that are allowed (minConsumers ${policy.minConsumers})`;
    case "step":
      return `${move}, as far as one step goes`;
    case "confirm":
      return `${move} until the load has lasted a moment longer`;
    case "hold":
      return desired === current && terms !== null && terms.settled < current
        ? `${move}, because fewer would save too little, or the last move must show its effect first`
        : `${move}, because up to ${terms?.settled ?? current} were needed a short while ago`;
    case "cooldown":
      return `${move}, because the last move was less than a cooldown ago`;
    case "estimated":
      return `${move}: how much waits is only estimated, and no consumer is taken away on a guess`;
    case "ineffective":
      return `${move}: more than ${terms?.effectiveConsumers ?? current} brought nothing, so something after the consumers is what limits them`;
    case "shortfall":
      return `${move}: consumers that were ordered do not start, more orders would not help`;
    case "measuring":
      return `nothing is known yet of what a consumer achieves; ${move}`;
    case "idle":
      return `nothing has been there to do for ${seconds(policy.idleMs)} and more; ${move}`;
    case "wake":
      return `${count(inputs.backlog?.total ?? 0)} waiting, ${count(inputs.pending)} pending and no consumer; ${move}`;
    case "unknown":
      return `how much waits is not known; ${move}`;
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
