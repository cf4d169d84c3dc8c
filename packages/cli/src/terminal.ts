/** Standard output and standard error, for a person or a program. */
import type { Writable } from "node:stream";
import { BrokenPipe } from "./failure.ts";
import { escapeMessage } from "./render/escape.ts";
import { coloured, type Paint, plain, type Tone, wantsColour } from "./render/paint.ts";
import { encodeReportJson, type Report, renderReport } from "./render/report.ts";

/** One of the two outputs, as far as we use it. */
export type Output = Writable & { readonly isTTY?: boolean; readonly columns?: number };

export interface TerminalOptions {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
}

type NoteKind = "error" | "fix" | "warn";

const NOTE_TONES = { error: "bad", fix: "good", warn: "warn" } as const satisfies Record<NoteKind, Tone>;

export class Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Colour for standard output. */
  readonly paint: Paint;
  readonly #paintNotes: Paint;
  readonly #stdout: Output;
  readonly #stderr: Output;
  #hasProgress = false;

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

  /** Whether a person sees standard output. */
  get isInteractive(): boolean {
    return this.#stdout.isTTY === true;
  }

  /** Columns of the terminal; `undefined` if the output is no terminal and nothing should be cut. */
  get width(): number | undefined {
    return this.#stdout.isTTY === true ? (this.#stdout.columns ?? 80) : undefined;
  }

  /**
   * Writes to standard output unchanged, and resolves when it is flushed.
   *
   * @throws {BrokenPipe} when the reader has closed it
   */
  write(text: string): Promise<void> {
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
    return this.write(asJson ? encodeReportJson(report) : renderReport(report, this.paint, this.width));
  }

  /** A line for the person, on standard error: never part of the output. */
  note(text: string, kind?: NoteKind): void {
    this.#clearProgress();
    const label = kind === undefined ? "" : this.#paintNotes(NOTE_TONES[kind], `${kind}:`.padEnd(7));
    this.#stderr.write(`${label}${escapeMessage(text)}\n`);
  }

  /** What went wrong, and what to do about it. */
  complain(message: string, fix: string | undefined): void {
    this.note(message, "error");
    if (fix !== undefined) this.note(fix, "fix");
  }

  /** Replaces the progress line, if standard error is a terminal. */
  progress(text: string): void {
    if (this.#stderr.isTTY !== true) return;
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
