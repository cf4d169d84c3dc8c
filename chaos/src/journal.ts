/** The actions of a process, one per line, on disk before the next step, so that a SIGKILL loses nothing. */
import { closeSync, existsSync, openSync, readFileSync, readSync, statSync, writeSync } from "node:fs";
import type { ConsumerHealth } from "@redis-batch/consumer";
import type { Intent } from "./intent.ts";

/** A line of a producer's journal. All ids in journals are names of entries: see `entry.ts`. */
export type ProducerLine =
  | ({ readonly e: "confirmed"; readonly t: number; readonly id: string } & Added)
  /** It may have been added, or not. */
  | ({ readonly e: "unknown"; readonly t: number } & Added);

interface Added {
  /** Each message has one of its own. */
  readonly key: string;
  /** What it belongs in order with. */
  readonly orderKey: string;
  readonly intent: Intent;
}

/** What a fault makes a handler do: never return, throw at everything, or find its sink out of order. */
export type HandlerFault = "hang" | "broken" | "readOnly" | "full" | "away";

/** A line of a worker's journal. */
export type WorkerLine =
  | { readonly e: "started"; readonly t: number; readonly name: string }
  /** How many batches it works on at the same time. One of an earlier version does not say so. */
  | { readonly e: "places"; readonly t: number; readonly places: number }
  /** Written at short intervals: a long gap means that the process was stopped. */
  | { readonly e: "tick"; readonly t: number }
  /** Once a second: the memory that the process takes of the machine, and how much of it are objects in use. */
  | { readonly e: "memory"; readonly t: number; readonly rssMiB: number; readonly heapMiB: number }
  /** Once a second: what the consumer says of itself. */
  | { readonly e: "health"; readonly t: number; readonly health: ConsumerHealth }
  /** Handed to the handler: key, id, delivery count of each message. `call` is missing from those of earlier versions. */
  | {
      readonly e: "offered";
      readonly t: number;
      readonly call?: number;
      readonly messages: readonly (readonly [string, string, number])[];
    }
  /** The handler has returned, or thrown. */
  | { readonly e: "ended"; readonly t: number; readonly call: number; readonly threw: boolean }
  /**
   * The handler has finished it, and calls `ack` next. `call` says in which batch, as in the lines below: a handler that hung on a
   * message may go on when it was offered again.
   */
  | { readonly e: "done"; readonly t: number; readonly call?: number; readonly key: string }
  /** The handler says `deadLetter` next. */
  | { readonly e: "rejected"; readonly t: number; readonly call?: number; readonly key: string }
  /** The handler fails on purpose next; `delayMs`: it asks for this delay. */
  | {
      readonly e: "fails";
      readonly t: number;
      readonly call?: number;
      readonly key: string;
      readonly intent: Intent;
      readonly delayMs?: number;
    }
  /** A fault has reached the handler, which does as it says next. */
  | { readonly e: "struck"; readonly t: number; readonly by: HandlerFault }
  /** The clock has jumped, by so much as `Date` shows. */
  | { readonly e: "clock"; readonly t: number; readonly jumpMs: number; readonly seenMs: number }
  /** It was asked to stop, and begins to drain. */
  | { readonly e: "closing"; readonly t: number }
  /** It has drained. */
  | { readonly e: "closed"; readonly t: number }
  /** The server has answered: ids. */
  | {
      readonly e: "settled";
      readonly t: number;
      readonly call?: number;
      readonly acknowledged: readonly string[];
      readonly deadLettered: readonly string[];
      readonly tooLate: readonly string[];
    }
  | { readonly e: "away"; readonly t: number; readonly role: string }
  | { readonly e: "back"; readonly t: number; readonly role: string }
  /** Anything else worth knowing when a history is read. */
  | { readonly e: "note"; readonly t: number; readonly text: string };

/** Not the machine's clock through `Date`: that one jumps in some workers. */
export function journalNowMs(): number {
  return performance.timeOrigin + performance.now();
}

/** A line of the witness: which consumer holds which message. `null`: none, it is no longer pending. */
export interface WitnessLine {
  readonly t: number;
  /** What is different from the line before: id, owner, delivery count. */
  readonly changes: readonly (readonly [id: string, owner: string | null, deliveries: number])[];
  /** How long the read took, if it was long. */
  readonly tookMs?: number;
}

/** A line of the canary: its timer went off. */
export interface CanaryLine {
  readonly t: number;
}

export class Journal<Line extends { readonly t: number }> implements Disposable {
  readonly #file: number;

  constructor(path: string) {
    this.#file = openSync(path, "a");
  }

  write(line: Line extends unknown ? Omit<Line, "t"> : never): void {
    writeSync(this.#file, `${JSON.stringify({ t: Math.round(journalNowMs() * 10) / 10, ...line })}\n`);
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
  }
}

/** Every complete line; none of a process that was killed before it came to write. */
export function readJournal<Line>(path: string): Line[] {
  return existsSync(path) ? parseJournal(readFileSync(path, "utf8")) : [];
}

/** The last line is left out when it is not complete: its writer was killed. */
function parseJournal<Line>(text: string): Line[] {
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line);
}

/** Reads what is appended to a journal from now on. */
export class JournalFollower<Line> {
  readonly #path: string;
  #readBytes: number;
  #rest = "";

  constructor(path: string) {
    this.#path = path;
    this.#readBytes = sizeOf(path);
  }

  /** The lines that are complete now, and have not been read before. */
  read(): Line[] {
    const newBytes = sizeOf(this.#path) - this.#readBytes;
    if (newBytes <= 0) return [];
    const bytes = Buffer.alloc(newBytes);
    const file = openSync(this.#path, "r");
    const readBytes = readSync(file, bytes, 0, newBytes, this.#readBytes);
    closeSync(file);
    this.#readBytes += readBytes;
    const lines = (this.#rest + bytes.toString("utf8", 0, readBytes)).split("\n");
    this.#rest = lines.pop() ?? "";
    // What it begins with may be the end of a line that was being written.
    return lines.flatMap((line) => (line.startsWith("{") ? [JSON.parse(line) as Line] : []));
  }
}

function sizeOf(path: string): number {
  return existsSync(path) ? statSync(path).size : 0;
}
