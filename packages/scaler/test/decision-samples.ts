import { type Decision, decide, emptyMemory, type Order, resolveScalingOptions } from "../src/index.ts";

export const ORDER: Order = { stream: "orders", group: "billing", term: 3, sequence: 7 };

/** A decision to go from 2 consumers to 3, with awkward text in its way. */
export function scaleOut(): Decision {
  const policy = resolveScalingOptions({ strategy: "ratio" });
  const seen = {
    ...{ added: 30, read: 10, waiting: 20, isWaitingAtLeast: false, oldestWaitingMs: 5, released: 0 },
    ...{ pending: 10, reclaimable: 0 },
    ...{ current: 2, ready: 2, startingMs: [], lost: 0, startUpsMs: [], consumers: [] },
    ...{ elsewhere: 0, isAlone: false, partitions: null },
  };
  return decide(seen, emptyMemory("ratio"), policy, 0).decision;
}
