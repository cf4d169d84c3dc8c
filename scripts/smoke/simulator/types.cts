// A CommonJS TypeScript user.
import { type Scenario, traceScenario } from "@redis-batch/simulator";

export const create = (): Scenario =>
  traceScenario([
    { at: 0, perSecond: 1 },
    { at: 60, perSecond: 2 },
  ]);
