import { spawn } from "node:child_process";
import { ROOT } from "./root.mjs";

export interface CapturedRun {
  /** null when a signal ended it; 127 when it could not be started. */
  readonly exitCode: number | null;
  /** stdout and stderr, as they came. */
  readonly output: string;
}

/** Runs a command in the workspace's folder and keeps what it says, whatever becomes of it. */
export function runCaptured(file: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<CapturedRun> {
  return new Promise((resolve) => {
    const child = spawn(file, args, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"], env });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
      });
    }
    child.on("error", (error) => resolve({ exitCode: 127, output: `${output}${error.message}` }));
    child.on("close", (exitCode) => resolve({ exitCode, output }));
  });
}
