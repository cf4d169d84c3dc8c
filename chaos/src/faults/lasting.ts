import { setTimeout as pause } from "node:timers/promises";

/** How long a fault lasts: its own time, or until the time of all faults is over. */
export async function lasting(forMs: number, over: AbortSignal): Promise<void> {
  await pause(forMs, undefined, { signal: over }).catch(() => undefined);
}
