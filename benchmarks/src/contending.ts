/** A contender's own side: a process that gets its task as JSON, and reports its measurements as one JSON line. */
import type { Figures } from "./figures.ts";
import { spreadOf } from "./statistics.ts";

/** Where the server is. */
export interface Address {
  readonly host: string;
  readonly port: number;
  readonly tls?: { readonly ca: string } | undefined;
  /** Whether it is a node of a Cluster. */
  readonly isCluster?: boolean | undefined;
}

export interface Task {
  readonly redis: Address;
  readonly stream: string;
  /** For contenders that read several; the others read `stream`. */
  readonly streams?: readonly string[] | undefined;
  /** It is there when the contender starts. */
  readonly group: string;
  readonly batchSize: number;
  readonly maxWaitMs: number;
  /** Which of the ways that a contender knows. */
  readonly variant: string;
  /** How many of the messages come before anything is measured: what compiling costs is not what a message costs. */
  readonly warmUp: number;
  /** Number of messages; the contender ends when it has processed all of them. */
  readonly messages: number;
}

/** What a contender reports at its end. */
export interface Report {
  readonly seen: number;
  readonly figures: Figures;
}

/** A contender says so when it may be sent messages, and when it begins to measure. */
export const READY = "ready";
export const WARM = "warm";

// The number of memory samples, enough to show growth.
const LOOKS = 40;

/** Counts messages, and measures from the one after the warm-up. */
export class Meter {
  readonly #task: Task;
  readonly #rssBytes: number[] = [];
  #connections = 0;
  #seen = 0;
  #nextLook = 0;
  #cpu = process.cpuUsage();
  #beganMs = performance.now();
  #seenAtBegin = 0;
  #isWarm = false;

  constructor(task: Task) {
    this.#task = task;
    this.saw(0);
  }

  get seen(): number {
    return this.#seen;
  }

  /** Whether all messages have been seen. */
  get isDone(): boolean {
    return this.#seen >= this.#task.messages;
  }

  saw(messages: number): void {
    this.#seen += messages;
    if (!this.#isWarm && this.#seen >= this.#task.warmUp) this.#begin();
    if (this.#isWarm && this.#seen >= this.#nextLook) this.#look();
  }

  /** What was measured since the warm-up. */
  figures(): Figures {
    const measured = this.#seen - this.#seenAtBegin;
    const wallMs = performance.now() - this.#beganMs;
    const { user, system } = process.cpuUsage(this.#cpu);
    return {
      "client CPU µs/message": (user + system) / measured,
      "client CPU ms/s": (user + system) / wallMs,
      "messages/s": (measured * 1_000) / wallMs,
      connections: this.#connections,
      "peak RSS MB": (process.resourceUsage().maxRSS * 1_024) / 1_000_000,
      ...this.#growth(),
    };
  }

  #begin(): void {
    this.#isWarm = true;
    this.#seenAtBegin = this.#seen;
    process.stdout.write(`${WARM}\n`);
    this.#cpu = process.cpuUsage();
    this.#beganMs = performance.now();
  }

  #look(): void {
    this.#rssBytes.push(process.memoryUsage.rss());
    const sockets = process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap");
    this.#connections = Math.max(this.#connections, sockets.length);
    this.#nextLook = this.#seen + (this.#task.messages - this.#task.warmUp) / LOOKS;
  }

  /** The last quarter against the second: what starts up is not growth. */
  #growth(): Figures {
    const quarter = Math.floor(this.#rssBytes.length / 4);
    if (quarter < 2) return {};
    const last = spreadOf(this.#rssBytes.slice(-quarter)).median;
    return { "RSS growth": last / spreadOf(this.#rssBytes.slice(quarter, 2 * quarter)).median };
  }
}

/** Does the work, and reports what it took; the work may have its own figures. */
export async function contend(work: (task: Task, meter: Meter) => Promise<Figures | undefined>): Promise<void> {
  const task = JSON.parse(process.argv.at(-1) ?? "") as Task;
  process.stdout.write(`${READY}\n`);
  const meter = new Meter(task);
  const own = await work(task, meter);
  const report: Report = { seen: meter.seen, figures: { ...meter.figures(), ...own } };
  process.stdout.write(`${JSON.stringify(report)}\n`);
}
