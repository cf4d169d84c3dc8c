/**
 * One slot of the pool, and its process.
 *
 * | state   | means                                        | leaves by                         |
 * |---------|----------------------------------------------|-----------------------------------|
 * | at work | its process runs                             | `leave` · its process ends        |
 * | waiting | its process ended; the next one is due later | the wait is over · `leave`        |
 * | leaving | its process was asked to stop                | it has ended, or was killed       |
 * | gone    | nothing is left                              | –                                 |
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { Observer } from "@redis-batch/core";
import { isError } from "@redis-batch/core/internal/errors";
import { backoffDelayMs, type Clock, type Random } from "@redis-batch/core/internal/service";
import type { ProcessPoolEvent } from "./pool-events.ts";
import type { PoolGuard } from "./pool-guard.ts";
import type { ProcessPoolPolicy } from "./pool-options.ts";

export interface PoolWorkerContext {
  readonly policy: ProcessPoolPolicy;
  readonly guard: PoolGuard;
  /** Added to the policy's environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Whether a process may be started now. */
  readonly mayStart: () => boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly report: Observer<ProcessPoolEvent>;
}

export class PoolWorker {
  readonly #context: PoolWorkerContext;
  #child: ChildProcess | null = null;
  #cancelWait = (): void => {};
  /** Number of ends in a row, each soon after its start. */
  #failures = 0;
  #gone: (() => void) | null = null;
  #leaving: Promise<void> | undefined;

  constructor(context: PoolWorkerContext) {
    this.#context = context;
    this.#start();
  }

  /** Whether its process runs. */
  get isAtWork(): boolean {
    return this.#child !== null;
  }

  /** Asks it to finish and stop; resolves when it has ended. Kills it if that takes too long. */
  leave(): Promise<void> {
    this.#leaving ??= this.#leave();
    return this.#leaving;
  }

  async #leave(): Promise<void> {
    const { policy, guard, clock, report } = this.#context;
    this.#cancelWait();
    const child = this.#child;
    if (child === null) return;
    const gone = new Promise<void>((resolve) => {
      this.#gone = resolve;
    });
    const { pid } = child;
    if (pid !== undefined) guard.note(pid, "told");
    if (pid !== undefined) report({ type: "workerDraining", pid });
    child.kill("SIGTERM");
    const cancel = clock.setTimer(policy.drainMs, () => {
      if (pid !== undefined) report({ type: "workerKilled", pid, afterMs: policy.drainMs });
      child.kill("SIGKILL");
    });
    await gone;
    cancel();
  }

  #start(): void {
    const { policy, guard, clock, report } = this.#context;
    const { command, args, env, cwd } = policy;
    const startedAtMs = clock.nowMs();
    const onEnd = (pid: number | null, reason: string): void => {
      this.#child = null;
      if (pid !== null) guard.note(pid, "ended");
      report({ type: "workerEnded", pid, reason, wasAsked: this.#gone !== null });
      if (this.#gone === null) this.#restart(clock.nowMs() - startedAtMs);
      else this.#gone();
    };
    guard.open();
    let child: ChildProcess;
    try {
      child = spawn(command, args, {
        ...{ env: { ...process.env, ...env, ...this.#context.env }, cwd },
        ...{ stdio: ["ignore", "inherit", "inherit"], shell: false },
      });
    } catch (error) {
      // An invalid argument or variable is refused at once: the next start may have another environment.
      return onEnd(null, isError(error) && "code" in error ? String(error.code) : "could not be started");
    }
    this.#child = child;
    if (child.pid !== undefined) guard.note(child.pid, "started");
    child.once("spawn", () => report({ type: "workerStarted", pid: child.pid ?? 0 }));
    child.once("exit", (code, signal) => onEnd(child.pid ?? null, signal ?? `exit code ${code}`));
    child.on("error", (error: NodeJS.ErrnoException) => {
      // A running process reports its end with "exit".
      if (child.pid === undefined) onEnd(null, error.code ?? "could not be started");
    });
  }

  #restart(livedMs: number): void {
    const { policy, random, report } = this.#context;
    this.#failures = livedMs > policy.restart.capMs ? 1 : this.#failures + 1;
    const inMs = backoffDelayMs(this.#failures, policy.restart, random);
    report({ type: "workerRestarting", inMs, attempt: this.#failures });
    this.#startAfter(inMs);
  }

  #startAfter(inMs: number): void {
    const { policy, clock, mayStart } = this.#context;
    this.#cancelWait = clock.setTimer(inMs, () => {
      if (mayStart()) this.#start();
      else this.#startAfter(policy.restart.baseMs);
    });
  }
}
