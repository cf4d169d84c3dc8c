/**
 * One contender, run as a process of its own so that its CPU time is nobody else's: it gets its task as JSON, and tells
 * what it measured as one JSON line.
 */
import { runWorker } from "@redis-batch/test-support";

export interface Task {
  readonly redis: { readonly host: string; readonly port: number };
  readonly stream: string;
  readonly group: string;
  readonly batchSize: number;
  /** How many messages the stream holds; the contender ends when it has worked on all of them. */
  readonly messages: number;
}

/** What a contender's own process used. */
export interface ClientFigures {
  readonly wallMs: number;
  /** User and system time of the process while it worked, start-up left out. */
  readonly cpuMs: number;
  readonly rssBytes: number;
  /** How many messages it saw; a contender that saw another number than there are is no contender. */
  readonly seen: number;
}

/** Runs a contender's script to its end. */
export async function runContender(script: URL, task: Task): Promise<ClientFigures> {
  await using worker = await runWorker(script, { args: [JSON.stringify(task)] });
  const line = await worker.waitForLine((text) => text.startsWith("{"), { timeoutMs: 120_000 });
  const { code } = await worker.exited;
  const figures = JSON.parse(line) as ClientFigures;
  if (code !== 0 || figures.seen !== task.messages) {
    throw new Error(`${script.pathname}: exit code ${code}, ${figures.seen} of ${task.messages} messages`);
  }
  return figures;
}

/** The contender's side: reads the task, measures `work`, and prints the figures. */
export async function contend(work: (task: Task) => Promise<number>): Promise<void> {
  const task = JSON.parse(process.argv[2] as string) as Task;
  const cpu = process.cpuUsage();
  const startedMs = performance.now();
  const seen = await work(task);
  const { user, system } = process.cpuUsage(cpu);
  const figures: ClientFigures = {
    wallMs: performance.now() - startedMs,
    cpuMs: (user + system) / 1_000,
    rssBytes: process.memoryUsage.rss(),
    seen,
  };
  process.stdout.write(`${JSON.stringify(figures)}\n`);
}
