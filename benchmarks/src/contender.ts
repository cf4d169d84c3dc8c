/** Runs one contender as a process of its own, so that its CPU time is nobody else's. */
import type { RedisServer } from "@redis-batch/test-support";
import { runWorker, type WorkerOptions } from "@redis-batch/test-support";
import { READY, type Report, type Task, WARM } from "./contending.ts";
import type { Figures } from "./figures.ts";
import { serverWork } from "./server-calls.ts";

export interface ContenderOptions {
  /** Where it is not one of ours in Node. */
  readonly worker?: Pick<WorkerOptions, "launcher" | "env">;
  /** Begins when the contender may be sent messages. */
  readonly feed?: (signal: AbortSignal) => Promise<void>;
  /** What of the server's work is not the contender's, in microseconds of CPU per message. */
  readonly serverCpuOfOthers?: number;
}

const LIMIT_MS = 600_000;

/**
 * Runs a contender's script to its end → its figures, with the server's own for the time it measured.
 *
 * @throws {Error} when it fails, or saw another number of messages than there are
 */
export async function runContender(
  script: URL,
  task: Task,
  server: RedisServer,
  { worker = {}, feed, serverCpuOfOthers = 0 }: ContenderOptions = {},
): Promise<Figures> {
  await using contender = await runWorker(script, { ...worker, args: [JSON.stringify(task)] });
  const stop = new AbortController();
  await contender.waitForLine(READY, { timeoutMs: LIMIT_MS });
  const feeding = feed?.(stop.signal);
  try {
    await contender.waitForLine(WARM, { timeoutMs: LIMIT_MS });
    const before = await serverWork(server);
    const beganMs = performance.now();
    const line = await contender.waitForLine((text) => text.startsWith("{"), { timeoutMs: LIMIT_MS });
    const seconds = (performance.now() - beganMs) / 1_000;
    const after = await serverWork(server);
    const { code } = await contender.exited;
    const { seen, figures } = JSON.parse(line) as Report;
    if (code !== 0 || seen !== task.messages) {
      throw new Error(`${script.pathname}: exit code ${code}, ${seen} of ${task.messages} messages`);
    }
    const measured = task.messages - task.warmUp;
    const serverMs = after.cpuMs - before.cpuMs;
    const commands = after.commands - before.commands;
    return {
      ...figures,
      "server CPU µs/message": (serverMs * 1_000) / measured - serverCpuOfOthers,
      "server CPU ms/s": serverMs / seconds,
      "commands/s": commands / seconds,
      "commands/1,000 messages": (commands * 1_000) / measured,
    };
  } finally {
    stop.abort();
    await feeding;
  }
}
