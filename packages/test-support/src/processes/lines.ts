/** Cuts arriving text into lines. What follows the last line end is kept for the next piece. */
export class LineSplitter {
  #rest = "";

  /** The lines that are complete now, without their ends. */
  push(text: string): string[] {
    const lines = (this.#rest + text).split(/\r?\n/);
    this.#rest = lines.pop() ?? "";
    return lines;
  }

  /** What is left when no more text comes: one unfinished line, or none. */
  finish(): string[] {
    const rest = this.#rest;
    this.#rest = "";
    return rest === "" ? [] : [rest];
  }
}
