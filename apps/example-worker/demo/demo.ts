// The example worker in action: a server, the history of Redis as 12,272 messages, three worker processes, one database. One of the workers is killed, the monitor hands its messages over, and the scaler reports how many workers it would have used.
//
//   npm run demo                   from the root of a fresh clone
//   DEMO_LIMIT=500 npm run demo    only the first 500 commits
//
// The exit code is 0 when the totals hold, 1 when they do not or something failed, 130 after Ctrl-C.
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { inspect, styleText } from "node:util";
import { Producer } from "@redis-batch/consumer";
import { createScratchFolder, removeScratchFolder } from "@redis-batch/test-support";
import { Advice } from "./advice.ts";
import { checkResults, count } from "./checks.ts";
import { type CommitRecord, expectedTotals, readCommits, WHOLE_HISTORY } from "./commit-data.ts";
import { type Crash, checkHandOver, crashWorker, describeCrash, describeHandOver } from "./crash.ts";
import { type DemoServer, startDemoServer } from "./demo-server.ts";
import { Interrupted, interruption } from "./interruption.ts";
import { ProgressLine } from "./progress.ts";
import { renderChecks, renderWorkers, renderYears } from "./report.ts";
import { countStoredCommits, readStoredCommits } from "./stored-commits.ts";
import { Watch } from "./watch.ts";
import { WorkerPool } from "./worker-pool.ts";
import { type WorkerTally, workerName } from "./worker-tally.ts";

const WORKERS = 3;
const BATCH_SIZE = 100;
const GROUP = "example-worker";
// Short, so that the messages of the killed worker are recovered soon.
const LEASE_MS = 1_500;
// Workers claim the messages of dead ones by themselves. In the demo the monitor does it.
const RECOVER_EVERY_MS = 600_000;
// A busy machine may take this long to deliver a signal to both.
const SIGNAL_DELAY_MS = 500;
/** The share of messages that is stored when a worker is killed. */
const KILL_AT_RATIO = 1 / 3;

const limit = readLimit(process.env["DEMO_LIMIT"]);
const interrupted = interruption();
// Everything is stopped in reverse order of its start, whatever ends the demo.
const started = new AsyncDisposableStack();

let exitCode: number;
let parting: string | undefined;
try {
  exitCode = await Promise.race([demonstrate(), interrupted]);
} catch (error) {
  // Ctrl-C on a terminal also ends the server, and its end may be noticed before the signal.
  const cause = await Promise.race([interrupted, pause(SIGNAL_DELAY_MS, error)]).catch((signal: unknown) => signal);
  exitCode = cause instanceof Interrupted ? cause.exitCode : 1;
  parting = cause instanceof Interrupted ? `${cause.message}; nothing is left running` : inspect(cause);
}
await started.disposeAsync();
if (parting !== undefined) console.error(`\n${parting}`);
// Anything that was still starting when the demo was interrupted ends with the process.
process.exit(exitCode);

async function demonstrate(): Promise<number> {
  const commits = readCommits(limit);
  console.log(
    `${count(commits.length)} commits of Redis, ${WORKERS} workers, batches of ${BATCH_SIZE}, one database\n`,
  );

  const server = started.use(await startDemoServer());
  console.log(`server      ${server.description}`);

  await produce(commits, server);

  const folder = started.adopt(createScratchFolder(), removeScratchFolder);
  const databasePath = join(folder, "commits.db");
  const starting = WorkerPool.start(WORKERS, {
    REDIS_URL: server.url,
    STREAM: server.stream,
    GROUP,
    BATCH_SIZE: String(BATCH_SIZE),
    MAX_WAIT_MS: "500",
    LEASE_MS: String(LEASE_MS),
    RECOVER_EVERY_MS: String(RECOVER_EVERY_MS),
    DATABASE_URL: `sqlite:${databasePath}`,
    PROBE_HOST: "127.0.0.1",
    PROBE_PORT: "0",
  });
  // Also if the demo is interrupted before they have started.
  started.defer(async () => (await starting)[Symbol.asyncDispose]());
  const workers = await starting;
  const place = { url: server.url, stream: server.stream, group: GROUP };
  const watch = started.use(new Watch(place));
  const advice = started.use(new Advice(place));
  const crashes = await storeAll(commits.length, workers, server, databasePath, watch);
  await workers.stop();
  const { tallies } = workers;
  const isSomethingLeft = crashes.some(({ held }) => held > 0);
  if (isSomethingLeft) console.log(describeHandOver(crashes, watch.handedOver));

  const stored = readStoredCommits(databasePath);
  const pending = await server.pending(GROUP);
  print(renderWorkers(tallies, workers.killed));
  print(renderYears(stored.years));
  const checks = [
    ...checkResults(commits, expectedTotals(commits), stored, pending.messages),
    ...(isSomethingLeft ? [checkHandOver(crashes, watch.handedOver)] : []),
  ];
  print(renderChecks(checks, (mark, passed) => styleText(passed ? "green" : "red", mark)));
  print(await advice.lines());
  console.log("\nTo copy the worker, read apps/example-worker/README.md next.");
  return checks.every(({ passed }) => passed) ? 0 : 1;
}

async function produce(commits: readonly CommitRecord[], { url, stream }: DemoServer): Promise<void> {
  // Closed before the server, which may already have ended after Ctrl-C on a terminal: do not wait for it then.
  const producer = started.use(new Producer<CommitRecord>({ redis: url, stream, closeTimeoutMs: 1_000 }));
  const progress = new ProgressLine(process.stdout, () => performance.now());
  const startedMs = performance.now();
  const { added, failed, failures } = await producer.addMany(commits, {
    onProgress: (soFar) => progress.update(`produced    ${count(soFar.added)} of ${count(commits.length)} messages`),
  });
  if (failed > 0) throw new Error(`${failed} messages could not be added`, { cause: failures[0]?.error });
  await producer.close();
  const seconds = (performance.now() - startedMs) / 1_000;
  progress.keep(`produced    ${count(added)} messages, ${count(added / seconds)} per second`);
}

/** Waits until everything is stored and acknowledged, and kills a worker halfway → the crashes. */
async function storeAll(
  total: number,
  workers: WorkerPool,
  server: DemoServer,
  databasePath: string,
  watch: Watch,
): Promise<readonly Crash[]> {
  const progress = new ProgressLine(process.stdout, () => performance.now());
  const crashes: Crash[] = [];
  const mourned = new Set<string>();
  await workers.whenNothingIsLeft(async () => {
    const { tallies } = workers;
    // Before the first worker reads there is neither a group nor a table.
    if (tallies.every(({ consumer }) => consumer === undefined)) return total;
    // The database counts, not the workers: a killed worker may have stored a batch without logging it.
    const stored = countStoredCommits(databasePath);
    progress.update(describeStored(stored, total, tallies));
    if (stored >= total * KILL_AT_RATIO && stored < total && crashes.every(({ held }) => held === 0)) {
      const crash = await crashWorker(workers, () => server.pending(GROUP));
      if (crash !== undefined) {
        crashes.push(crash);
        progress.keep(describeCrash(crash));
      }
    }
    for (const { consumer, place } of crashes) {
      const table = watch.tableOfDeath(consumer);
      if (table === undefined || mourned.has(consumer)) continue;
      mourned.add(consumer);
      progress.keep(`monitor     reports ${workerName(place)} as dead:`);
      console.log(table);
    }
    const pending = await server.pending(GROUP);
    return Math.max(0, total - stored) + pending.messages;
  });
  progress.keep(describeStored(countStoredCommits(databasePath), total, workers.tallies));
  if (crashes.length === 0) console.log("killed      no worker: none was seen holding messages");
  return crashes;
}

function describeStored(stored: number, total: number, tallies: readonly WorkerTally[]): string {
  const each = tallies.map(({ added }, place) => `${workerName(place)}: ${count(added)}`).join(" · ");
  return `stored      ${count(stored)} of ${count(total)} (${each})`;
}

function print(lines: readonly string[]): void {
  console.log(`\n${lines.join("\n")}`);
}

function readLimit(value: string | undefined): number {
  const number = Number(value || WHOLE_HISTORY.messages);
  if (Number.isInteger(number) && number >= 1 && number <= WHOLE_HISTORY.messages) return number;
  console.error(`DEMO_LIMIT must be a whole number from 1 to ${WHOLE_HISTORY.messages}, got ${JSON.stringify(value)}`);
  process.exit(2);
}
