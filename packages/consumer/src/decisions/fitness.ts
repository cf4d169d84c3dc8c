/** Whether it is this process that is broken, and not the messages or what they are written to. */

export interface Fitness {
  /** Messages that have failed since the last success, each time counted. */
  readonly failures: number;
  /** How many of those another consumer acknowledged afterwards. */
  readonly succeededElsewhere: number;
  readonly isUnfit: boolean;
}

export const FIT: Fitness = { failures: 0, succeededElsewhere: 0, isUnfit: false };

// A single failure that another consumer makes good is what retries are for.
const LEAST_FAILURES = 3;

/** Takes in how a batch ended: one success is enough to be fit. */
export function afterBatch(fitness: Fitness, failed: number, hasSucceeded: boolean): Fitness {
  return hasSucceeded ? FIT : judge({ ...fitness, failures: fitness.failures + failed });
}

/** Takes in that messages which failed here were acknowledged by somebody else. */
export function afterSuccessElsewhere(fitness: Fitness, messages: number): Fitness {
  return judge({ ...fitness, succeededElsewhere: fitness.succeededElsewhere + messages });
}

function judge(fitness: Fitness): Fitness {
  const isUnfit = fitness.failures >= LEAST_FAILURES && fitness.succeededElsewhere > 0;
  return { ...fitness, isUnfit };
}
