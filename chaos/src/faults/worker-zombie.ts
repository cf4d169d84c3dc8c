import { hasStopped } from "../process-state.ts";
import { type Fault, observedIf, SKIPPED } from "./fault.ts";
import { lasting } from "./lasting.ts";

/** SIGSTOP and SIGCONT: it wakes up and does not know that it slept. */
export const workerZombie: Fault = {
  target: "worker",
  async strike({ over }, place, { forMs }) {
    const { pid } = place;
    if (pid === undefined || !place.stop()) return SKIPPED;
    const wasStopped = await hasStopped(pid);
    await lasting(forMs, over);
    // The process itself, not one that has replaced it: a stopped one cannot have ended unless it was killed.
    place.resume();
    return observedIf(wasStopped, "the worker did not stop");
  },
};
