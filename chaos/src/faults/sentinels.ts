import { type Fault, observedIf, SKIPPED } from "./fault.ts";
import { lasting } from "./lasting.ts";
import { pingMs } from "./probe.ts";

/** One Sentinel does not answer for a while, or is gone. */
export const sentinelAway: Fault = {
  target: "server",
  async strike({ topology, over }, place, { forMs, keepsName }) {
    const sentinel = topology.sentinels[place.index % topology.sentinels.length];
    if (sentinel === undefined) return SKIPPED;
    await (keepsName ? sentinel.freeze() : sentinel.kill());
    const [tookMs] = await Promise.all([pingMs(sentinel, forMs / 2), lasting(forMs, over)]);
    await (keepsName ? sentinel.thaw() : sentinel.restart());
    await topology.whole();
    return observedIf(tookMs === undefined, "the Sentinel answered");
  },
};
