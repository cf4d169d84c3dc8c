/** Whether this process is broken, and not the messages or the sink. */

export interface Fitness {
  /** How often messages have failed since the last success. */
  readonly failures: number;
  /** How many of those another consumer acknowledged afterwards. */
  readonly succeededElsewhere: number;
  readonly isUnfit: boolean;
}

export const FIT: Fitness = { failures: 0, succeededElsewhere: 0, isUnfit: false };

// If another consumer succeeds after a single failure, that is what retries are for.
const LEAST_FAILURES = 3;

/** Takes in the results of a batch: one success is enough to be fit. */
export function afterBatch(fitness: Fitness, failed: number, hasSucceeded: boolean): Fitness {
  return hasSucceeded ? FIT : judge({ ...fitness, failures: fitness.failures + failed });
}

/** Takes in that other consumers acknowledged messages that had failed here. */
export function afterSuccessElsewhere(fitness: Fitness, messages: number): Fitness {
  return judge({ ...fitness, succeededElsewhere: fitness.succeededElsewhere + messages });
}

function judge(fitness: Fitness): Fitness {
  const isUnfit = fitness.failures >= LEAST_FAILURES && fitness.succeededElsewhere > 0;
  return { ...fitness, isUnfit };
}
