/**
 * Sees to it that workers do not outlive the process that has them, however that ends.
 *
 * A process that is killed can tell nobody. But the kernel closes what it had open, so a small process of its own, which
 * reads what is open here, learns of it: it tells the workers to end, and kills those that take too long. It is a shell,
 * which needs a megabyte, and nothing of Node; where there is none (Windows), workers outlive a pool that is killed.
 */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Socket } from "node:net";
import type { Writable } from "node:stream";
import type { Clock, Observer } from "@redis-batch/core/internal";
import type { ProcessPoolEvent } from "./pool-events.ts";

/** What it is made of. */
export const SHELL = "/bin/sh";
// The arguments are the seconds, and who is there already. The first word of a line is what is known of a process from now on;
// the lists have a space before and behind each.
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
  // Looked at each second, so that none of them is taken for another process that got its number.
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
/** What it is called in a list of processes. */
const NAME = "redis-batch-pool-guard";
const RESTART_MS = 1_000;

/** What there is to know of a process. `told`: it was told to end; telling it again would end many at once. */
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

  /** Has it there before a worker is started, which nobody could tell of one that is killed in between. */
  open(): void {
    if (this.#shell === null && this.#mayStart) this.#start();
  }

  /** Takes in what became of a worker. */
  note(pid: number, standing: Standing): void {
    if (standing === "ended") this.#workers.delete(pid);
    else this.#workers.set(pid, standing);
    // One that is started again is told then.
    this.#shell?.stdin.write(`${standing} ${pid}\n`);
  }

  /** Ends it, once nobody is left to be guarded. */
  close(): void {
    this.#mayStart = false;
    this.#cancelRestart();
    this.#shell?.stdin.end();
  }

  #start(): void {
    const seconds = Math.ceil(this.#context.drainMs / 1_000);
    // Of a session of its own: what a terminal or a supervisor sends to our group must not end it first.
    const shell = spawn(
      this.#command,
      ["-c", SCRIPT, NAME, String(seconds), this.#list("started"), this.#list("told")],
      {
        ...{ stdio: ["pipe", "ignore", "ignore"], detached: true, env: { PATH: process.env["PATH"] } },
      },
    );
    this.#shell = shell;
    // It ends when we do, and must not keep us from ending.
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

  /** Given with its start and not by a line: whoever is killed after the start may not have written it. */
  #list(standing: Standing): string {
    return [...this.#workers].map(([pid, known]) => (known === standing ? `${pid} ` : "")).join("");
  }
}
