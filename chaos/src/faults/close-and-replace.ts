import { type Fault, observedIf, SKIPPED } from "./fault.ts";

/** A rolling deploy: SIGTERM, the worker closes, and a successor takes its place. */
export const closeAndReplace: Fault = {
  target: "worker",
  async strike(_scene, place, { keepsName }) {
    const problems = await place.replace(keepsName);
    return problems === undefined ? SKIPPED : observedIf(problems.length === 0, problems.join("; "));
  },
};
