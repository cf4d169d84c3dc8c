import { type ChildProcess, spawn } from "node:child_process";
import { deferred } from "@redis-batch/testing/time";
import { atExit } from "../processes/exit-sweep.ts";
import { dyingWithParent } from "../processes/pdeathsig.ts";
import type { LogSink, ServerProcess, ServerSignal } from "./server-process.ts";

/** A server program of this machine, as our child. */
export class LocalProcess implements ServerProcess {
  readonly exited: Promise<string>;
  readonly #child: ChildProcess;

  constructor(path: string, args: readonly string[], log: LogSink) {
    const [command, ...rest] = dyingWithParent(path, args);
    const child = spawn(command, rest, { stdio: ["ignore", "pipe", "pipe"] });
    for (const output of [child.stdout, child.stderr]) output.setEncoding("utf8").on("data", log);
    this.#child = child;
    const done = atExit(() => void child.kill("SIGKILL"));
    const { promise, resolve } = deferred<string>();
    child.once("error", (error) => resolve(error.message));
    // "close" follows "exit" once the last of the log has been read.
    child.once("close", (code, signal) => resolve(signal ?? `exit code ${code}`));
    this.exited = promise.finally(done);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get running(): boolean {
    return this.#child.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async signal(name: ServerSignal): Promise<void> {
    this.#child.kill(name);
  }
}
