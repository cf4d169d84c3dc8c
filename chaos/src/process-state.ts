import { readFileSync } from "node:fs";

/** Whether a process is stopped (SIGSTOP); `undefined` where the system does not tell. */
export function isStopped(pid: number): boolean | undefined {
  try {
    // The state follows the program's name, which is in parentheses and may itself hold any character.
    return readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.[0] === "T";
  } catch {
    return undefined;
  }
}
