import { constants } from "node:os";
import type { Log } from "./log.ts";

/**
 * The first SIGTERM or SIGINT aborts the returned signal, which begins the drain. The second ends the process at once,
 * with exit code 143 or 130; its messages are redelivered to another worker.
 */
export function stopOnSignals(log: Log): AbortSignal {
  const stop = new AbortController();
  for (const name of ["SIGTERM", "SIGINT"] as const) {
    process.on(name, () => {
      if (stop.signal.aborted) process.exit(128 + constants.signals[name]);
      log("info", "stopping", { signal: name });
      stop.abort();
    });
  }
  return stop.signal;
}
