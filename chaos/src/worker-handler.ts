/** The handler of a worker: follows each message's intent and the faults, and records each step. */
import { readFileSync } from "node:fs";
import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";
import type { Batch } from "@redis-batch/consumer";
import { entryName } from "./entry.ts";
import type { SinkFault } from "./faults/sink.ts";
import type { Intent } from "./intent.ts";
import type { Journal, WorkerLine } from "./journal.ts";
import type { WorkerTask } from "./tasks.ts";

export type TextBatch = Batch<Readonly<Record<string, string>>>;

/** How long an unreachable sink keeps its caller waiting. */
const AWAY_MS = 200;

/** A failure that is not caused by the messages. */
export class OutOfOrderError extends Error {}

export class WorkerHandler {
  readonly #task: WorkerTask;
  readonly #journal: Journal<WorkerLine>;
  readonly #open = new Map<number, number>();
  #calls = 0;
  #hangsNext = false;
  /** How long it will be broken, once a batch comes. */
  #breaksForMs = 0;
  #brokenUntilMs = 0;

  constructor(task: WorkerTask, journal: Journal<WorkerLine>) {
    this.#task = task;
    this.#journal = journal;
  }

  /** How long the batches have been at work that have not ended, in milliseconds. */
  get openMs(): readonly number[] {
    const nowMs = performance.now();
    return [...this.#open.values()].map((sinceMs) => nowMs - sinceMs);
  }

  /** The next batch is never finished. */
  hang(): void {
    this.#hangsNext = true;
  }

  /** From the next batch on everything fails for a while. */
  breakFor(forMs: number): void {
    this.#breaksForMs = forMs;
  }

  /** Works on a batch, and rejects when it fails whole. */
  async handle(batch: TextBatch): Promise<void> {
    const call = ++this.#calls;
    this.#open.set(call, performance.now());
    const messages = batch.messages.map(
      ({ id, fields, deliveries }) => [String(fields["name"]), this.#nameOf(batch, id), deliveries] as const,
    );
    this.#journal.write({ e: "offered", call, messages });
    let threw = true;
    try {
      await this.#work(batch, call);
      threw = false;
    } finally {
      this.#open.delete(call);
      this.#journal.write({ e: "ended", call, threw });
      void this.#noteSettlement(batch, call);
    }
  }

  async #noteSettlement(batch: TextBatch, call: number): Promise<void> {
    const { acknowledged, deadLettered, tooLate } = await batch.settled();
    const named = (ids: readonly string[]): readonly string[] => ids.map((id) => this.#nameOf(batch, id));
    this.#journal.write({
      ...{ e: "settled", call },
      ...{ acknowledged: named(acknowledged), deadLettered: named(deadLettered), tooLate: named(tooLate) },
    });
  }

  #nameOf(batch: TextBatch, id: string): string {
    const { streams } = this.#task;
    return entryName(streams, (batch.stream ?? streams[0]) as string, id);
  }

  async #work(batch: TextBatch, call: number): Promise<void> {
    const sinkFault = await this.#meetFaults();
    if (this.#task.isOrdered) return this.#workByKey(batch, call, sinkFault);
    for (const message of batch) {
      // Half of the work before the first message, so that a fault also hits between two of them.
      if (message === batch.messages[Math.floor(batch.size / 2)]) {
        await pause(this.#task.workMs);
        refuseIfFull(batch, sinkFault);
      }
      await this.#workOn(message, call);
      if (batch.size > 20 && message === batch.messages[10]) await nextTurn();
    }
  }

  /** All keys at once, and the messages of each in order, up to the first that fails. */
  async #workByKey(batch: TextBatch, call: number, sinkFault: SinkFault | undefined): Promise<void> {
    const middle = batch.messages[Math.floor(batch.size / 2)];
    const ends = await Promise.allSettled(
      [...batch.byKey()].map(async ([, messages]) => {
        for (const message of messages) {
          await pause(this.#task.workMs / messages.length);
          if (message === middle) refuseIfFull(batch, sinkFault);
          if (!(await this.#workOn(message, call))) return;
        }
      }),
    );
    for (const end of ends) if (end.status === "rejected") throw end.reason;
  }

  /** What faults do to the batch as a whole. */
  async #meetFaults(): Promise<SinkFault | undefined> {
    if (this.#hangsNext) {
      this.#hangsNext = false;
      this.#journal.write({ e: "struck", by: "hang" });
      await new Promise(() => {});
    }
    const nowMs = performance.now();
    if (this.#breaksForMs > 0) {
      this.#brokenUntilMs = nowMs + this.#breaksForMs;
      this.#breaksForMs = 0;
    }
    if (nowMs < this.#brokenUntilMs) {
      this.#journal.write({ e: "struck", by: "broken" });
      throw new OutOfOrderError("this process is broken");
    }
    const sinkFault = currentSinkFault(this.#task.sinkFault);
    if (sinkFault === undefined) return undefined;
    this.#journal.write({ e: "struck", by: sinkFault });
    if (sinkFault === "away") await pause(AWAY_MS);
    if (sinkFault !== "full") throw new OutOfOrderError(`the sink is ${sinkFault}`);
    return sinkFault;
  }

  /** Resolves to whether it has come to its end. */
  async #workOn(message: TextBatch["messages"][number], call: number): Promise<boolean> {
    const key = String(message.fields["name"]);
    const intent = message.fields["intent"] as Intent;
    const fails = (delayMs?: number): void =>
      this.#journal.write({ e: "fails", call, key, intent, ...(delayMs === undefined ? {} : { delayMs }) });
    const isFirst = message.deliveries === 1;
    switch (intent) {
      case "reject":
        this.#journal.write({ e: "rejected", call, key });
        message.deadLetter("as planned");
        return true;
      case "retryOnce":
        if (!isFirst) break;
        fails();
        message.retry({ reason: "as planned" });
        return false;
      case "deferredLong":
        if (!isFirst) break;
        fails(this.#task.deferMs);
        message.retry({ delayMs: this.#task.deferMs, reason: "as planned" });
        return false;
      case "throwOnce":
        if (!isFirst) break;
        fails();
        throw new Error(`${key} is to fail once`);
      case "poison":
        fails();
        throw new Error(`${key} is poison`);
      case "killOnce":
        if (isFirst) this.#die(key, fails);
        break;
      case "killAlways":
        this.#die(key, fails);
        break;
      case "hangOnce":
        if (!isFirst) break;
        fails();
        // A person who looks would restart it.
        if (!this.#task.mustLast) console.log(`hanging ${key}`);
        await this.#hang(key);
        break;
      case "hang":
        fails();
        await this.#hang(key);
        break;
      case "holdOnce":
        if (!isFirst) break;
        fails();
        await pause(this.#task.holdMs);
        break;
      case "blockOnce":
        if (!isFirst) break;
        fails();
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, this.#task.blockMs);
        break;
      case "ack":
        break;
    }
    this.#journal.write({ e: "done", call, key });
    message.ack();
    return true;
  }

  async #hang(key: string): Promise<void> {
    if (this.#task.mustLast) throw new Error(`${key} would hang`);
    await new Promise(() => {});
  }

  #die(key: string, fails: () => void): void {
    fails();
    if (this.#task.mustLast) throw new Error(`${key} would kill the process`);
    process.kill(process.pid, "SIGKILL");
  }
}

/** One alone still fits: what fails alone again and again while others succeed would rightly be taken for poison. */
function refuseIfFull(batch: TextBatch, sinkFault: SinkFault | undefined): void {
  if (sinkFault === "full" && batch.size > 1) throw new OutOfOrderError("the sink is full");
}

function currentSinkFault(path: string): SinkFault | undefined {
  try {
    return readFileSync(path, "utf8") as SinkFault;
  } catch {
    return undefined;
  }
}
