/** Ctrl-C and SIGTERM: the first lets the command finish its current work, the second ends it at once. */
import { EXIT_CODES } from "./exit-codes.ts";

/** The abort reason of a command. */
export class Interrupted extends Error {
  constructor() {
    super("interrupted");
    this.name = "Interrupted";
  }
}

export interface Interrupts {
  /** Aborts with the first. */
  readonly signal: AbortSignal;
  /** Sets what to print when the second ends the command at once. */
  onSecond(say: () => void): void;
}

/**
 * Listens until the process ends.
 *
 * @param onFirst called when the drain begins; absent if the command has nothing to finish
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
