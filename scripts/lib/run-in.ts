import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";

export interface RunInOptions {
  /** Beside the environment there is. */
  readonly env?: Readonly<Record<string, string>>;
  /** What stands on its standard input; nothing by default. */
  readonly input?: string;
}

export interface Ended {
  /** null when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command in a folder and keeps what it says, whatever becomes of it. Rejects when it cannot be started. */
export async function runIn(
  folder: string,
  file: string,
  args: readonly string[],
  { env = {}, input = "" }: RunInOptions = {},
): Promise<Ended> {
  const child = spawn(file, args, { cwd: folder, env: { ...process.env, ...env }, stdio: "pipe" });
  const ended = new Promise<number | null>((resolve, reject) => child.once("error", reject).once("close", resolve));
  // Who does not read its input may be gone before it is written.
  child.stdin.on("error", () => {}).end(input);
  const [code, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  return { code, stdout, stderr };
}
