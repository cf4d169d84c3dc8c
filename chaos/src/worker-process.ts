/** A worker: a consumer in a process of its own, whose handler does what each message says, and a journal of it all. */
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type Batch, Consumer, type ConsumerEvent, ConsumerNameInUseError } from "@redis-batch/consumer";
import type { SinkFault } from "./faults/sink.ts";
import type { Intent } from "./intent.ts";
import { Journal, type WorkerLine } from "./journal.ts";
import { NAME_IN_USE, RETRY, type WorkerTask } from "./tasks.ts";
import { watchedClient } from "./watched-client.ts";

const TICK_MS = 50;
const MEASURE_EVERY_MS = 1_000;
const MIB = 1_048_576;
/** How long a sink that is away keeps its caller waiting. */
const AWAY_MS = 200;
// Too many of them to be worth a line.
const QUIET = new Set<ConsumerEvent["type"]>(["read", "batch", "batchEnded", "acknowledged", "redelivered"]);

const task = JSON.parse(process.argv[2] ?? "") as WorkerTask;
using journal = new Journal<WorkerLine>(task.journal);
journal.write({ e: "started", name: task.name });
const ticking = setInterval(() => journal.write({ e: "tick" }), TICK_MS);
// What is left is held. Otherwise the engine lets memory grow for minutes before it looks, which would hide a leak.
const collectGarbage = task.mustLast ? createCollector() : undefined;
const measuring = setInterval(() => {
  collectGarbage?.();
  const { rss, heapUsed } = process.memoryUsage();
  journal.write({ e: "memory", rssMiB: mebibytes(rss), heapMiB: mebibytes(heapUsed) });
  journal.write({ e: "health", health: consumer.health() });
}, MEASURE_EVERY_MS);

const consumer = new Consumer({
  redis: task.isLent ? watchedClient(task.url) : task.url,
  stream: task.stream,
  group: task.group,
  name: task.name,
  maxWaitMs: 50,
  blockMs: 300,
  retry: RETRY,
  drainMs: 5_000,
  // In a long round a place may be cut off, by one fault after the other, for longer than the default.
  connectTimeoutMs: 300_000,
  ...task.options,
  observer: note,
});
process.on("SIGTERM", () => void consumer.close());
const orders = createInterface({ input: process.stdin }).on("line", obey);

try {
  const report = await consumer.run(handle);
  journal.write({ e: "note", text: `stopped ${JSON.stringify(report)}` });
} catch (error) {
  journal.write({ e: "note", text: `failed: ${String(error)}` });
  console.error(error);
  process.exitCode = ConsumerNameInUseError.is(error) ? NAME_IN_USE : 1;
} finally {
  clearInterval(ticking);
  clearInterval(measuring);
  orders.close();
}

async function handle(batch: Batch<Readonly<Record<string, string>>>): Promise<void> {
  const keys = new Map(batch.messages.map(({ id, fields }) => [id, String(fields["key"])]));
  journal.write({
    e: "offered",
    messages: batch.messages.map(({ id, deliveries }) => [String(keys.get(id)), id, deliveries]),
  });
  const noteSettlement = async (): Promise<void> => {
    const { acknowledged, deadLettered, lost } = await batch.settled();
    journal.write({ e: "settled", acknowledged, deadLettered, lost });
  };
  const sinkFault = currentSinkFault();
  try {
    if (sinkFault === "away") await pause(AWAY_MS);
    if (sinkFault === "away" || sinkFault === "readOnly") throw new Error(`the sink is ${sinkFault}`);
    for (const message of batch) {
      // Half of the work before the first message, so that a fault also hits between two of them.
      if (message === batch.messages[Math.floor(batch.size / 2)]) {
        await pause(task.workMs);
        // One alone still fits: what fails alone again and again while others succeed would rightly be taken for poison.
        if (sinkFault === "full" && batch.size > 1) throw new Error("the sink is full");
      }
      const key = String(keys.get(message.id));
      const intent = message.fields["intent"] as Intent;
      const isFirst = message.deliveries === 1;
      switch (intent) {
        case "reject":
          journal.write({ e: "rejected", key });
          message.deadLetter("as it was told");
          continue;
        case "retryOnce":
          if (!isFirst) break;
          journal.write({ e: "fails", key, intent });
          message.retry({ reason: "as it was told" });
          continue;
        case "throwOnce":
          if (!isFirst) break;
          journal.write({ e: "fails", key, intent });
          throw new Error(`${key} is to fail once`);
        case "poison":
          journal.write({ e: "fails", key, intent });
          throw new Error(`${key} is poison`);
        case "killOnce":
          if (!isFirst) break;
          dieOf(key, intent);
          break;
        case "killAlways":
          dieOf(key, intent);
          break;
        case "hangOnce":
          if (!isFirst) break;
          journal.write({ e: "fails", key, intent });
          if (task.mustLast) throw new Error(`${key} would hang`);
          console.log(`hanging ${key}`);
          await new Promise(() => {});
          break;
        case "blockOnce":
          if (!isFirst) break;
          journal.write({ e: "fails", key, intent });
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, task.blockMs);
          break;
        case "ack":
          break;
      }
      journal.write({ e: "done", key });
      message.ack();
      if (batch.size > 20 && message === batch.messages[10]) await nextTurn();
    }
  } finally {
    void noteSettlement();
  }
}

function mebibytes(bytes: number): number {
  return Math.round((bytes / MIB) * 10) / 10;
}

function createCollector(): () => void {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}

function currentSinkFault(): SinkFault | undefined {
  try {
    return readFileSync(task.sinkFault, "utf8") as SinkFault;
  } catch {
    return undefined;
  }
}

function dieOf(key: string, intent: Intent): void {
  journal.write({ e: "fails", key, intent });
  if (task.mustLast) throw new Error(`${key} would kill the process`);
  process.kill(process.pid, "SIGKILL");
}

/** `clock <ms>`: the machine's clock jumps, as this process sees it. */
function obey(line: string): void {
  const [order, value] = line.split(" ");
  if (order !== "clock") throw new Error(`unknown order: ${line}`);
  const jumpMs = Number(value);
  const now = Date.now.bind(Date);
  Date.now = () => now() + jumpMs;
  journal.write({ e: "note", text: `clock jumps by ${jumpMs} ms` });
}

function note(event: ConsumerEvent): void {
  if (event.type === "disconnected") journal.write({ e: "away", role: event.role });
  if (event.type === "connected") journal.write({ e: "back", role: event.role });
  if (!QUIET.has(event.type)) journal.write({ e: "note", text: JSON.stringify(event) });
}
