/** Runs the command of `consume --exec`: the batch on its standard input, the outcome as exit code and output lines. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { Failure } from "../failure.ts";

export interface RunOptions {
  readonly command: string;
  readonly input: string;
  /** Called with each line of the command's standard output; without it, the output goes to ours. */
  readonly onLine: ((line: string) => void) | undefined;
  readonly env: Readonly<Record<string, string>>;
  /** Ends the command. */
  readonly signal: AbortSignal;
}

/** How it ended, with the reason if it failed. */
export type CommandEnd = { readonly isSuccess: true } | { readonly isSuccess: false; readonly why: string };

export function runCommand({ command, input, onLine, env, signal }: RunOptions): Promise<CommandEnd> {
  return new Promise((resolve, reject) => {
    // In its own process group: Ctrl-C on the terminal is for us, and we let it finish the current batch.
    const child = spawn(command, {
      shell: true,
      detached: process.platform !== "win32",
      env: { ...process.env, ...env },
      stdio: ["pipe", onLine === undefined ? "inherit" : "pipe", "inherit"],
    });
    const end = (): void => killGroup(child.pid);
    const onExit = (): void => killGroup(child.pid);
    signal.addEventListener("abort", end);
    process.once("exit", onExit);
    const finish = (settle: () => void): void => {
      signal.removeEventListener("abort", end);
      process.off("exit", onExit);
      settle();
    };
    const { stdout, stdin } = child;
    const lines = stdout === null || onLine === undefined ? undefined : createInterface({ input: stdout });
    lines?.on("line", (line) => onLine?.(line));
    child.once("error", (error) =>
      finish(() => reject(new Failure("failed", `the command could not be run: ${error.message}`))),
    );
    // "close" comes after the end of its output.
    child.once("close", (code, killedBy) =>
      finish(() =>
        resolve(
          code === 0
            ? { isSuccess: true }
            : {
                isSuccess: false,
                why: killedBy === null ? `it exited with ${code ?? "nothing"}` : `it was killed by ${killedBy}`,
              },
        ),
      ),
    );
    // A command need not read all of its input.
    stdin?.on("error", () => {});
    stdin?.end(input);
    if (signal.aborted) end();
  });
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(process.platform === "win32" ? pid : -pid, "SIGTERM");
  } catch {
    // It has already ended.
  }
}
