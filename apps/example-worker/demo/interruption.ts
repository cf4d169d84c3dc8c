import { constants } from "node:os";

/** The demo was interrupted. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  readonly exitCode: number;

  constructor(signal: NodeJS.Signals) {
    super(`ended by ${signal}`);
    this.exitCode = 128 + constants.signals[signal];
  }
}

/**
 * Rejects with {@link Interrupted} at the first SIGINT, SIGTERM or SIGHUP. The second ends the process at once; what it
 * started ends with it.
 */
export function interruption(): Promise<never> {
  return new Promise((_, reject) => {
    let isInterrupted = false;
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.on(signal, () => {
        const interrupted = new Interrupted(signal);
        if (isInterrupted) process.exit(interrupted.exitCode);
        isInterrupted = true;
        reject(interrupted);
      });
    }
  });
}
