/**
 * A slot for a worker: behind its own proxy, with one process at a time, which is replaced when it ends, as a process
 * manager would do.
 */
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { runWorker, type WorkerProcess } from "@redis-batch/test-support";
import { JournalFollower, type WorkerLine } from "./journal.ts";
import { NAME_IN_USE, NOT_LIVE, STUCK, type WorkerTask } from "./tasks.ts";
import { Link } from "./topology/link.ts";
import type { Topology } from "./topology/topology.ts";

/** How long a process may take to drain. */
const DRAIN_LIMIT_MS = 20_000;
const LOOK_EVERY_MS = 25;
/** How long one that is not live is left alone, as a probe that must fail twice would. */
const NOT_LIVE_MS = 1_000;

export interface PlaceOptions {
  readonly topology: Topology;
  readonly index: number;
  readonly seed: number;
  readonly folder: string;
  /** The folder of the worker's script: of ours, or of an earlier version. */
  readonly source: URL;
  readonly isOld: boolean;
  readonly task: Omit<WorkerTask, "url" | "way" | "name" | "journal">;
  /** How long a handler may hang before its process is killed. */
  readonly hangMs: number;
}

/** One process that was started here. */
export interface Incarnation {
  /** Tells it from others of the same name. */
  readonly worker: string;
  readonly name: string;
  readonly journal: string;
}

export class Place implements AsyncDisposable {
  readonly index: number;
  readonly link: Link;
  readonly incarnations: Incarnation[] = [];
  /** Unexpected ends, with the last output of each. */
  readonly crashes: string[] = [];
  readonly #options: PlaceOptions;
  #process: WorkerProcess | undefined;
  #isEnding = false;
  #isReplacing = false;
  #keepsName = true;
  #supervision: Promise<void> = Promise.resolve();

  private constructor(options: PlaceOptions, link: Link) {
    this.#options = options;
    this.index = options.index;
    this.link = link;
  }

  static async open(options: PlaceOptions): Promise<Place> {
    const place = new Place(options, await Link.open(options.topology, options.seed + options.index));
    place.#supervision = place.#supervise();
    return place;
  }

  get isRunning(): boolean {
    return this.#process?.running === true;
  }

  get isOld(): boolean {
    return this.#options.isOld;
  }

  /** Whether its process must live through the round. */
  get mustLast(): boolean {
    return this.#options.task.mustLast;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Follows the journal of the process that is there now. */
  follow(): JournalFollower<WorkerLine> {
    return new JournalFollower(this.incarnations.at(-1)?.journal ?? "");
  }

  /**
   * Waits until the process that is there now writes such a line → that line, or `undefined` when it does not in time.
   * `"ended"`: the process has ended before.
   */
  async waitForLine(
    follower: JournalFollower<WorkerLine>,
    isIt: (line: WorkerLine) => boolean,
    timeoutMs: number,
  ): Promise<WorkerLine | "ended" | undefined> {
    const process = this.#process;
    const endsAtMs = performance.now() + timeoutMs;
    for (;;) {
      const hasEnded = process?.running !== true;
      const found = follower.read().find(isIt);
      if (found !== undefined) return found;
      if (hasEnded) return "ended";
      if (performance.now() >= endsAtMs) return undefined;
      await pause(LOOK_EVERY_MS);
    }
  }

  /** Kills the process, unless it must last; the next one has the same name, or a new one. Waits until it is gone. */
  async kill(keepsName: boolean): Promise<boolean> {
    const process = this.#process;
    if (this.mustLast || process?.running !== true) return false;
    this.#keepsName = keepsName;
    process.kill("SIGKILL");
    await process.exited;
    return true;
  }

  /**
   * Has the process close, as in a rolling deploy, and waits until its successor is there → what is wrong with that;
   * `undefined` when there is nothing to replace.
   */
  async replace(keepsName: boolean): Promise<readonly string[] | undefined> {
    const process = this.#process;
    const count = this.incarnations.length;
    if (this.mustLast || process?.running !== true) return undefined;
    this.#keepsName = keepsName;
    this.#isReplacing = true;
    const problems = await this.#end(process);
    this.#isReplacing = false;
    while (this.incarnations.length === count && !this.#isEnding) await pause(LOOK_EVERY_MS);
    return problems;
  }

  stop(): boolean {
    return this.#signal("SIGSTOP");
  }

  resume(): boolean {
    return this.#signal("SIGCONT");
  }

  tell(order: string): boolean {
    if (this.#process?.running !== true) return false;
    this.#process.send(order);
    return true;
  }

  /** Lets the process drain, and starts no other. Returns what is wrong with how it ended. */
  async drain(): Promise<readonly string[]> {
    this.#isEnding = true;
    const process = this.#process;
    if (process === undefined) return [];
    const problems = await this.#end(process);
    await this.#supervision;
    return problems;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnding = true;
    this.#signal("SIGKILL");
    await this.#supervision;
    await this.link[Symbol.asyncDispose]();
  }

  async #end(process: WorkerProcess): Promise<readonly string[]> {
    process.kill("SIGTERM");
    const limit = new AbortController();
    const isLate = await Promise.race([process.exited.then(() => false), late(DRAIN_LIMIT_MS, limit.signal)]);
    limit.abort();
    if (!isLate) return [];
    process.kill("SIGKILL");
    return [`worker ${this.index} did not drain within ${DRAIN_LIMIT_MS} ms`];
  }

  #signal(name: NodeJS.Signals): boolean {
    if (this.#process?.running !== true) return false;
    this.#process.kill(name);
    return true;
  }

  async #supervise(): Promise<void> {
    while (!this.#isEnding) {
      const { worker, name, journal } = this.#incarnate();
      const task: WorkerTask = { ...this.#options.task, url: this.link.url, way: this.link.way, name, journal };
      const process = await runWorker(new URL("worker-process.ts", this.#options.source), {
        args: [JSON.stringify(task)],
      });
      this.#process = process;
      this.#keepsName = true;
      // It may have been told to end while it started.
      if (this.#isEnding) process.kill("SIGTERM");
      void this.#killWhen(process, /^hanging /, this.#options.hangMs);
      void this.#killWhen(process, NOT_LIVE, NOT_LIVE_MS);
      void this.#killWhen(process, STUCK, 0, `${worker} hung in all its handlers, but reported that it is live`);
      const { code, signal } = await process.exited;
      // A process that gets the signal before it listens for it ends by the signal itself.
      const isAsked = signal === "SIGKILL" || (signal === "SIGTERM" && (this.#isEnding || this.#isReplacing));
      if (isAsked || code === 0 || code === NAME_IN_USE) continue;
      this.crashes.push(`${worker} ended with ${code ?? signal}: ${process.stderr.slice(-2_000)}`);
    }
    this.#process = undefined;
  }

  #incarnate(): Incarnation {
    const { index, folder } = this.#options;
    const count = this.incarnations.length + 1;
    const worker = `w${index}.${count}`;
    const name = (this.#keepsName ? this.incarnations.at(-1)?.name : undefined) ?? worker;
    const incarnation = { worker, name, journal: join(folder, `${worker}.ndjson`) };
    this.incarnations.push(incarnation);
    return incarnation;
  }

  /** Does as a liveness probe would, or a person who looks at a process that says this. */
  async #killWhen(process: WorkerProcess, words: string | RegExp, afterMs: number, problem?: string): Promise<void> {
    try {
      await process.waitForLine(words, { timeoutMs: 3_600_000 });
    } catch {
      return;
    }
    if (problem !== undefined) this.crashes.push(problem);
    const ended = new AbortController();
    const isLate = await Promise.race([process.exited.then(() => false), late(afterMs, ended.signal)]);
    ended.abort();
    if (isLate) process.kill("SIGKILL");
  }
}

async function late(afterMs: number, signal: AbortSignal): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(true), afterMs);
  signal.addEventListener("abort", () => {
    clearTimeout(timer);
    resolve(false);
  });
  return promise;
}
