/** Splits arriving text into lines. Text after the last line end is kept for the next piece. */
export class LineSplitter {
  #rest = "";

  /** The lines that are complete now, without their ends. */
  push(text: string): string[] {
    const lines = (this.#rest + text).split(/\r?\n/);
    this.#rest = lines.pop() ?? "";
    return lines;
  }

  /** The rest at the end of the text: one unfinished line, or none. */
  finish(): string[] {
    const rest = this.#rest;
    this.#rest = "";
    return rest === "" ? [] : [rest];
  }
}
