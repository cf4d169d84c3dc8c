import type { Fault } from "./fault.ts";
import { lasting } from "./lasting.ts";

/** SIGSTOP and SIGCONT: it wakes up and does not know that it slept. */
export const workerZombie: Fault = {
  target: "worker",
  async strike({ over }, place, { forMs }) {
    if (!place.stop()) return false;
    await lasting(forMs, over);
    // The process itself, not one that has replaced it: a stopped one cannot have ended unless it was killed.
    place.resume();
    return true;
  },
};
