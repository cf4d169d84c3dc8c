import { type Fault, OBSERVED, SKIPPED } from "./fault.ts";

/** SIGKILL, wherever the worker is. */
export const workerKill: Fault = {
  target: "worker",
  strike: async (_scene, place, { keepsName }) => ((await place.kill(keepsName)) ? OBSERVED : SKIPPED),
};
