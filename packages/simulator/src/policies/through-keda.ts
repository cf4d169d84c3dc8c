/** Our decision, carried out by KEDA and the HPA: a metric of desired consumers with the target 1. */

import type { Policy } from "../policy.ts";
import { throughput } from "./ours.ts";

// The HPA reads every third of our decisions.
const EVERY = 3;
const TOLERANCE = 0.1;

export const throughKeda: Policy = {
  name: "throughput-keda",
  title: "the throughput strategy as an external scaler of KEDA, carried out by the HPA every 15 s",
  interval: throughput.interval,
  wakesAfter: 0.2,
  start(scenario, traffic) {
    const ours = throughput.start(scenario, traffic);
    let looks = 0;
    // Decisions that were not carried out yet.
    let order: number | null = null;
    return {
      decide(input) {
        const { current } = input;
        const decided = ours.decide(input);
        if (decided !== current) order = decided;
        // KEDA itself does 0 ↔ 1, at once when it is woken.
        if (current === 0) return Math.min(1, decided);
        if (++looks % EVERY !== 0 || order === null) return current;
        const wanted = order;
        order = null;
        if (wanted === 0) return 0;
        if (Math.abs(1 - wanted / current) <= TOLERANCE) return current;
        return Math.max(1, Math.min(wanted, Math.max(current + 4, current * 4)));
      },
      restart: () => ours.restart?.(),
    };
  },
};
