/** Ctrl-C and SIGTERM: the first lets the command finish what it is at, the second ends it. */
import { EXIT_CODES } from "./exit-codes.ts";

/** Why a command is asked to end. */
export class Interrupted extends Error {
  constructor() {
    super("interrupted");
    this.name = "Interrupted";
  }
}

/**
 * Listens until the process ends.
 *
 * @param onFirst told that the drain has begun; absent when the command has nothing to finish
 */
export function listenForInterrupts(onFirst: (() => void) | undefined): AbortSignal {
  const aborter = new AbortController();
  const end = (): void => {
    if (aborter.signal.aborted || onFirst === undefined) process.exit(EXIT_CODES.interrupted.code);
    onFirst();
    aborter.abort(new Interrupted());
  };
  process.on("SIGINT", end);
  process.on("SIGTERM", end);
  return aborter.signal;
}
