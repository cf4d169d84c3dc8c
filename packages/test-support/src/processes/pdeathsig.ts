import { findExecutable } from "../servers/executable.ts";

/**
 * A command line that dies with us: on Linux the kernel kills the new process when the thread that started it ends,
 * even by SIGKILL or for lack of memory. Elsewhere the command line is unchanged.
 */
export function dyingWithParent(command: string, args: readonly string[]): readonly [string, ...string[]] {
  const setpriv = process.platform === "linux" ? findExecutable("setpriv", process.env["PATH"]) : undefined;
  return setpriv === undefined ? [command, ...args] : [setpriv, "--pdeathsig", "KILL", command, ...args];
}
