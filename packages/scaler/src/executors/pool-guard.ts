/**
 * Ensures that workers do not outlive the process that started them, however that ends.
 *
 * A killed process cannot notify anyone. But the kernel closes its pipes, so a small helper process that reads one of
 * them notices it: it asks the workers to stop, and kills those that take too long. It is a shell, which needs a megabyte
 * and no Node. Without a shell (Windows), workers outlive a pool that is killed.
 */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Socket } from "node:net";
import type { Writable } from "node:stream";
import type { Observer } from "@redis-batch/core";
import type { Clock } from "@redis-batch/core/internal/service";
import type { ProcessPoolEvent } from "./pool-events.ts";

/** Its dependencies. */
export const SHELL = "/bin/sh";
// The arguments are the seconds, and the existing workers. The first word of a line is the new state of a process; the
// lists have a space before and after each entry.
const SCRIPT = [
  "trap '' HUP INT TERM",
  'fresh=" $2" told=" $3"',
  "while read -r word pid; do",
  '  case $fresh in *" $pid "*) fresh="${fresh%% $pid *} ${fresh#* $pid }" ;; esac',
  '  case $told in *" $pid "*) told="${told%% $pid *} ${told#* $pid }" ;; esac',
  "  case $word in",
  '    started) fresh="$fresh$pid " ;;',
  '    told) told="$told$pid " ;;',
  "  esac",
  "done",
  "[ \"$fresh\" = ' ' ] || kill -TERM $fresh",
  'left="$fresh$told"',
  "while :; do",
  // Checked each second, so that none of them is confused with another process that got the same pid.
  "  alive=' '",
  '  for pid in $left; do kill -0 "$pid" && alive="$alive$pid "; done',
  "  left=$alive",
  "  [ \"$left\" = ' ' ] && exit 0",
  '  [ "$1" -gt 0 ] || break',
  "  sleep 1",
  "  set -- $(($1 - 1))",
  "done",
  "kill -KILL $left",
].join("\n");
/** Its name in a list of processes. */
const NAME = "redis-batch-pool-guard";
const RESTART_MS = 1_000;

/** The state of a process. `told`: it was asked to stop; a second signal would end many at once. */
type Standing = "started" | "told" | "ended";

export interface PoolGuardContext {
  readonly drainMs: number;
  readonly clock: Clock;
  readonly report: Observer<ProcessPoolEvent>;
}

export class PoolGuard {
  readonly #context: PoolGuardContext;
  readonly #command: string;
  readonly #workers = new Map<number, Standing>();
  #shell: ChildProcessByStdio<Writable, null, null> | null = null;
  #mayStart = true;
  #cancelRestart = (): void => {};

  constructor(context: PoolGuardContext, shell: string = SHELL) {
    this.#context = context;
    this.#command = shell;
  }

  /** Starts it before a worker is started: otherwise nothing would stop a worker whose parent is killed in between. */
  open(): void {
    if (this.#shell === null && this.#mayStart) this.#start();
  }

  /** Updates the state of a worker. */
  note(pid: number, standing: Standing): void {
    if (standing === "ended") this.#workers.delete(pid);
    else this.#workers.set(pid, standing);
    // A guard that is restarted gets the states at its start.
    this.#shell?.stdin.write(`${standing} ${pid}\n`);
  }

  /** Ends it, once no worker is left. */
  close(): void {
    this.#mayStart = false;
    this.#cancelRestart();
    this.#shell?.stdin.end();
  }

  #start(): void {
    const seconds = Math.ceil(this.#context.drainMs / 1_000);
    // In its own session: a signal of a terminal or supervisor to our process group must not end it first.
    const shell = spawn(
      this.#command,
      ["-c", SCRIPT, NAME, String(seconds), this.#list("started"), this.#list("told")],
      {
        ...{ stdio: ["pipe", "ignore", "ignore"], detached: true, env: { PATH: process.env["PATH"] } },
      },
    );
    this.#shell = shell;
    // It ends when we do, and must not keep this process alive.
    shell.unref();
    (shell.stdin as Partial<Socket>).unref?.();
    shell.stdin.on("error", () => {});
    shell.once("exit", () => this.#lost());
    shell.once("error", (error: NodeJS.ErrnoException) => {
      if (shell.pid !== undefined) return;
      this.#shell = null;
      this.#mayStart = false;
      this.#context.report({ type: "unguarded", reason: error.code ?? "could not be started" });
    });
  }

  #lost(): void {
    this.#shell = null;
    this.#cancelRestart = this.#context.clock.setTimer(RESTART_MS, () => {
      if (this.#workers.size > 0) this.open();
    });
  }

  /** Passed as arguments, not as a line: a process that is killed right after the start might not have written it. */
  #list(standing: Standing): string {
    return [...this.#workers].map(([pid, known]) => (known === standing ? `${pid} ` : "")).join("");
  }
}
