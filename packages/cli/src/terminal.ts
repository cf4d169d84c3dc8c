/** Standard output and standard error, for a person or a program. */
import type { Writable } from "node:stream";
import { BrokenPipe } from "./failure.ts";
import { encodeJson, escapeMessage } from "./render/escape.ts";
import { coloured, type Paint, plain, type Tone, wantsColour } from "./render/paint.ts";
import { encodeReportJson, encodeRows, type Report, renderReport } from "./render/report.ts";

/** One of the two outputs, as far as we use it. */
export type Output = Writable & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number };

export interface TerminalOptions {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface OutputOptions {
  readonly isQuiet: boolean;
  readonly isPlain: boolean;
  readonly isWide: boolean;
  /** Whether JSON has a line for each row. */
  readonly isRowWise: boolean;
}

export interface Complaint {
  /** The exit code. */
  readonly code: number;
  readonly message: string;
  readonly fix: string | undefined;
}

type NoteKind = "error" | "fix" | "warn";

const NOTE_TONES = { error: "bad", fix: "good", warn: "warn" } as const satisfies Record<NoteKind, Tone>;

export class Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Colour for standard output. */
  paint: Paint;
  #paintNotes: Paint;
  readonly #stdout: Output;
  readonly #stderr: Output;
  #hasProgress = false;
  #isQuiet = false;
  #isWide = false;
  #isRowWise = false;
  /** Whether a JSON report is one line, because more will follow. */
  #isLine = false;
  #captured: string[] | undefined;

  constructor({ stdout, stderr, env }: TerminalOptions) {
    this.env = env;
    this.#stdout = stdout;
    this.#stderr = stderr;
    this.paint = wantsColour(env, stdout.isTTY === true) ? coloured : plain;
    this.#paintNotes = wantsColour(env, stderr.isTTY === true) ? coloured : plain;
    // The write reports the error. Without a listener it would end the process midway.
    stdout.on("error", () => {});
    stderr.on("error", () => {});
  }

  /** What the options for every command say of the output. */
  format({ isQuiet, isPlain, isWide, isRowWise }: OutputOptions): void {
    this.#isQuiet = isQuiet;
    this.#isWide = isWide;
    this.#isRowWise = isRowWise;
    if (!isPlain) return;
    this.paint = plain;
    this.#paintNotes = plain;
  }

  /** Whether a person sees standard output. */
  get isInteractive(): boolean {
    return this.#stdout.isTTY === true;
  }

  /** Columns of the terminal; `undefined` if the output is no terminal and nothing should be cut. */
  get width(): number | undefined {
    return this.#stdout.isTTY === true && !this.#isWide ? (this.#stdout.columns ?? 80) : undefined;
  }

  /**
   * Writes to standard output unchanged, and resolves when it is flushed.
   *
   * @throws {BrokenPipe} when the reader has closed it
   */
  write(text: string): Promise<void> {
    if (this.#captured !== undefined) {
      this.#captured.push(text);
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      this.#stdout.write(text, (error) => {
        if (error === null || error === undefined) resolve();
        else if ("code" in error && (error.code === "EPIPE" || error.code === "ERR_STREAM_DESTROYED"))
          reject(new BrokenPipe());
        else reject(error);
      });
    });
  }

  /** Writes a report: as JSON, or as a table. */
  report(report: Report, asJson: boolean): Promise<void> {
    if (!asJson) return this.write(renderReport(report, this.paint, this.width));
    return this.write(this.#isRowWise ? encodeRows(report) : encodeReportJson(report, this.#isLine));
  }

  /**
   * Does what prints a report, again and again called by who repeats it: on a terminal each report takes the place of the one
   * before; elsewhere they follow each other, as JSON one per line.
   */
  async repeated<Result>(asJson: boolean, print: () => Promise<Result>): Promise<Result> {
    this.#isLine = asJson;
    if (asJson || !this.isInteractive) return print();
    this.#captured = [];
    try {
      return await print();
    } finally {
      const lines = this.#captured.join("").trimEnd().split("\n");
      this.#captured = undefined;
      const shown = lines.slice(0, Math.max((this.#stdout.rows ?? 24) - 1, 1));
      await this.write(`\u001b[H${shown.map((line) => `${line}\u001b[K\n`).join("")}\u001b[J`);
    }
  }

  /** A line for the person, on standard error: never part of the output. */
  note(text: string, kind?: NoteKind): void {
    if (this.#isQuiet && kind !== "error" && kind !== "fix") return;
    this.#clearProgress();
    const label = kind === undefined ? "" : this.#paintNotes(NOTE_TONES[kind], `${kind}:`.padEnd(7));
    this.#stderr.write(`${label}${escapeMessage(text)}\n`);
  }

  /** What went wrong, and what to do about it; for a program as a line of JSON. */
  complain({ code, message, fix }: Complaint, asJson = false): void {
    if (asJson) {
      this.#clearProgress();
      this.#stderr.write(`${encodeJson({ error: { code, message, fix: fix ?? null } })}\n`);
      return;
    }
    this.note(message, "error");
    if (fix !== undefined) this.note(fix, "fix");
  }

  /** Replaces the progress line, if standard error is a terminal. */
  progress(text: string): void {
    if (this.#stderr.isTTY !== true || this.#isQuiet) return;
    this.#stderr.write(`\r\u001b[2K${escapeMessage(text)}`);
    this.#hasProgress = true;
  }

  endProgress(): void {
    this.#clearProgress();
  }

  #clearProgress(): void {
    if (!this.#hasProgress) return;
    this.#stderr.write("\r\u001b[2K");
    this.#hasProgress = false;
  }
}
