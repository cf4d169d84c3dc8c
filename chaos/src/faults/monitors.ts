import { hasStopped } from "../process-state.ts";
import { type Fault, OBSERVED, observedIf, SKIPPED } from "./fault.ts";
import { lasting } from "./lasting.ts";

/** SIGKILL of a monitor, wherever it is. */
export const monitorKill: Fault = {
  target: "monitor",
  strike: async ({ monitors }, _place, { worker }) => ((await monitors.kill(worker)) ? OBSERVED : SKIPPED),
};

/** SIGSTOP and SIGCONT of a monitor: a leader goes on where it was, and does not know that another one leads. */
export const monitorZombie: Fault = {
  target: "monitor",
  async strike({ monitors, over }, _place, { worker, forMs }) {
    const pid = monitors.stop(worker);
    if (pid === undefined) return SKIPPED;
    const wasStopped = await hasStopped(pid);
    await lasting(forMs, over);
    monitors.resume(worker);
    return observedIf(wasStopped, "the monitor did not stop");
  },
};
