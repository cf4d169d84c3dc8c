export interface ProgressOutput {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

// Often enough to show progress, rarely enough for a log file.
const PLAIN_LINE_EVERY_MS = 2_000;
// Moves to the start of the line and clears it.
const REWRITE = "\r\u001b[K";

/** One line that is rewritten on a terminal; elsewhere an occasional new line. */
export class ProgressLine {
  readonly #output: ProgressOutput;
  readonly #nowMs: () => number;
  #writtenAtMs: number;

  constructor(output: ProgressOutput, nowMs: () => number) {
    this.#output = output;
    this.#nowMs = nowMs;
    this.#writtenAtMs = nowMs();
  }

  update(text: string): void {
    if (this.#output.isTTY) return this.#rewrite(text);
    if (this.#nowMs() - this.#writtenAtMs < PLAIN_LINE_EVERY_MS) return;
    this.#writtenAtMs = this.#nowMs();
    this.#output.write(`${text}\n`);
  }

  /** Writes a line that stays; later output follows below. */
  keep(text: string): void {
    if (this.#output.isTTY) this.#rewrite(text);
    else this.#output.write(text);
    this.#output.write("\n");
  }

  #rewrite(text: string): void {
    // A line that wraps could not be rewritten.
    this.#output.write(REWRITE + text.slice(0, (this.#output.columns ?? 80) - 1));
  }
}
