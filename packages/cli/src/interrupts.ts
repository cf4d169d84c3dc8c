/** Ctrl-C and SIGTERM: the first lets the command finish what it is at, the second ends it. */
import { EXIT_CODES } from "./exit-codes.ts";

/** Why a command is asked to end. */
export class Interrupted extends Error {
  constructor() {
    super("interrupted");
    this.name = "Interrupted";
  }
}

export interface Interrupts {
  /** Aborts with the first. */
  readonly signal: AbortSignal;
  /** What the command still has to say when the second ends it at once. */
  onSecond(say: () => void): void;
}

/**
 * Listens until the process ends.
 *
 * @param onFirst told that the drain has begun; absent when the command has nothing to finish
 */
export function listenForInterrupts(onFirst: (() => void) | undefined): Interrupts {
  const aborter = new AbortController();
  let sayLast = (): void => {};
  const end = (): void => {
    if (aborter.signal.aborted || onFirst === undefined) {
      sayLast();
      process.exit(EXIT_CODES.interrupted.code);
    }
    onFirst();
    aborter.abort(new Interrupted());
  };
  process.on("SIGINT", end);
  process.on("SIGTERM", end);
  return {
    signal: aborter.signal,
    onSecond(say) {
      sayLast = say;
    },
  };
}
