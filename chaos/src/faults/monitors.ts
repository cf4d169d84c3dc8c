import type { Fault } from "./fault.ts";
import { lasting } from "./lasting.ts";

/** SIGKILL of a monitor, wherever it is. */
export const monitorKill: Fault = {
  target: "monitor",
  strike: ({ monitors }, _place, { worker }) => Promise.resolve(monitors.kill(worker)),
};

/** SIGSTOP and SIGCONT of a monitor: a leader goes on where it was, and does not know that another one leads. */
export const monitorZombie: Fault = {
  target: "monitor",
  async strike({ monitors, over }, _place, { worker, forMs }) {
    if (!monitors.stop(worker)) return false;
    await lasting(forMs, over);
    monitors.resume(worker);
    return true;
  },
};
