/** A worker: a consumer in its own process, whose handler follows the messages' intents, and a journal of its actions. */
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import {
  ConnectionError,
  Consumer,
  type ConsumerEvent,
  ConsumerNameInUseError,
  ServerStateError,
} from "@redis-batch/consumer";
import { Journal, type WorkerLine } from "./journal.ts";
import { DRAIN_MS, NAME_IN_USE, NOT_LIVE, type Pull, RETRY, STUCK, type WorkerTask } from "./tasks.ts";
import { sourceOf } from "./topology/source-of.ts";
import { watchedClient } from "./watched-client.ts";
import { OutOfOrderError, type TextBatch, WorkerHandler } from "./worker-handler.ts";

const TICK_MS = 50;
const MEASURE_EVERY_MS = 1_000;
const MIB = 1_048_576;
/** How long the application waits before it tries again: its sink is out of order, or the server is unreachable. */
const ASK_AGAIN_MS = 200;
/** How long the way out of `run` may take once the consumer has closed. */
const RETURN_MS = 1_000;
/** How much longer than it may be held a batch must be at work in every place, until somebody would look. */
const STUCK_RATIO = 3;
// Too many of them to be worth a line.
const QUIET = new Set<ConsumerEvent["type"]>(["read", "batch", "batchEnded", "acknowledged", "redelivered"]);

const task = JSON.parse(process.argv[2] ?? "") as WorkerTask;
using journal = new Journal<WorkerLine>(task.journal);
journal.write({ e: "started", name: task.name });
const places = task.pull === "run" ? (task.options.concurrency ?? 1) : 1;
journal.write({ e: "places", places });
const handler = new WorkerHandler(task, journal);
const ticking = setInterval(() => journal.write({ e: "tick" }), TICK_MS);
// What is left is held. Otherwise the engine lets memory grow for minutes before it looks, which would hide a leak.
const collectGarbage = task.mustLast ? createCollector() : undefined;
const measuring = setInterval(measure, MEASURE_EVERY_MS);

const ending = new AbortController();
const consumer = new Consumer({
  redis: task.isLent ? watchedClient(task.way) : sourceOf(task.way),
  ...(task.streams.length > 1 && task.partitions === 0 ? { streams: task.streams } : { stream: task.stream }),
  ...(task.partitions > 0 ? { partitions: task.partitions, rebalanceGraceMs: 0 } : {}),
  // Few enough for keys to be given up, and new messages to be held up.
  ...(task.isOrdered ? { orderBy: "orderKey", maxDeferred: 500 } : {}),
  group: task.group,
  name: task.name,
  blockMs: 300,
  retry: RETRY,
  drainMs: DRAIN_MS,
  // In a long round a place may be cut off, by one fault after the other, for longer than the default.
  connectTimeoutMs: 300_000,
  ...task.options,
  ...(task.pull === "fetch" ? { signal: ending.signal } : {}),
  observer: note,
});
process.on("SIGTERM", () => void end());
const orders = createInterface({ input: process.stdin }).on("line", obey);

const pulls: Readonly<Record<Pull, () => Promise<unknown>>> = { run, iterate, fetch: fetchAll };
let hasReturned = false;
try {
  const report = await pulls[task.pull]();
  journal.write({ e: "note", text: `stopped ${JSON.stringify(report)}` });
  journal.write({ e: "closed" });
} catch (error) {
  journal.write({ e: "note", text: `failed: ${String(error)}` });
  console.error(error);
  process.exitCode = ConsumerNameInUseError.is(error) ? NAME_IN_USE : 1;
} finally {
  hasReturned = true;
  clearInterval(ticking);
  clearInterval(measuring);
  orders.close();
}

function run(): Promise<unknown> {
  return consumer.run((batch) => handler.handle(batch));
}

async function iterate(): Promise<unknown> {
  for await (const batch of consumer) {
    try {
      await handler.handle(batch);
    } catch (error) {
      for (const message of batch) message.retry({ reason: String(error) });
    }
  }
  return consumer.close();
}

/** Under `fetch()` nobody but the application waits for a sink: it names nothing, and asks again a little later. */
async function fetchAll(): Promise<unknown> {
  while (!ending.signal.aborted) {
    const batch = await fetchOne();
    if (batch === undefined || batch.size === 0) continue;
    try {
      await handler.handle(batch);
    } catch (error) {
      if (error instanceof OutOfOrderError) await pause(ASK_AGAIN_MS);
      else for (const message of batch) message.retry({ reason: String(error) });
    }
  }
  return consumer.close();
}

async function fetchOne(): Promise<TextBatch | undefined> {
  try {
    return await consumer.fetch();
  } catch (error) {
    if (!ConnectionError.is(error) && !ServerStateError.is(error)) throw error;
    journal.write({ e: "note", text: `fetch() said: ${String(error)}` });
    await pause(ASK_AGAIN_MS);
    return undefined;
  }
}

/** Drains. A loop whose body hangs cannot end; `run` must, whatever its handlers do. */
async function end(): Promise<void> {
  journal.write({ e: "closing" });
  ending.abort();
  // With `fetch()` the batch before is the application's to finish.
  if (task.pull === "fetch" && handler.openMs.length > 0) await pause(DRAIN_MS);
  const report = await consumer.close();
  await pause(RETURN_MS);
  if (hasReturned) return;
  journal.write({ e: "note", text: `stopped ${JSON.stringify(report)}` });
  journal.write({ e: "closed" });
  if (task.pull === "run") console.error("run() did not return after close()");
  process.exit(task.pull === "run" ? 1 : 0);
}

function measure(): void {
  collectGarbage?.();
  const { rss, heapUsed } = process.memoryUsage();
  journal.write({ e: "memory", rssMiB: mebibytes(rss), heapMiB: mebibytes(heapUsed) });
  const health = consumer.health();
  journal.write({ e: "health", health });
  if (ending.signal.aborted) return;
  if (!health.live) console.log(NOT_LIVE);
  const stuckMs = (task.options.maxHoldMs ?? Number.POSITIVE_INFINITY) * STUCK_RATIO;
  const { openMs } = handler;
  if (openMs.length >= places && openMs.every((atWorkMs) => atWorkMs > stuckMs)) console.log(STUCK);
}

function mebibytes(bytes: number): number {
  return Math.round((bytes / MIB) * 10) / 10;
}

function createCollector(): () => void {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}

/** `clock <ms>`: the machine's clock jumps, as this process sees it · `hang`: the next batch does · `broken <ms>`: all fail. */
function obey(line: string): void {
  const [order, value] = line.split(" ");
  switch (order) {
    case "clock":
      return jumpBy(Number(value));
    case "hang":
      return handler.hang();
    case "broken":
      return handler.breakFor(Number(value));
    default:
      throw new Error(`unknown order: ${line}`);
  }
}

function jumpBy(jumpMs: number): void {
  const beforeMs = Date.now();
  const now = Date.now.bind(Date);
  Date.now = () => now() + jumpMs;
  journal.write({ e: "clock", jumpMs, seenMs: Date.now() - beforeMs });
}

function note(event: ConsumerEvent): void {
  if (event.type === "disconnected") journal.write({ e: "away", role: event.role });
  if (event.type === "connected") journal.write({ e: "back", role: event.role });
  if (!QUIET.has(event.type)) journal.write({ e: "note", text: JSON.stringify(event) });
}
